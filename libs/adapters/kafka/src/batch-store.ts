import { Backoff } from './backoff.js';
import { handleBatch, type Fate } from './batch.js';
import type { ConsumerLimits } from './clients.js';
import { inboxRecord, type InboxRecord, type RawRecord } from './inbox-records.js';

/** What a client fetched of one partition, and what may be done to that. */
export interface FetchedBatch {
  readonly topic: string;
  readonly partition: number;
  readonly messages: readonly RawRecord[];
  /** False when the partition is another's by now, or the instance ends. */
  mayGoOn(): boolean;
  /** All up to this one are done with. */
  commit(lastDone: string): Promise<void>;
  /** No more of this partition until the answer is called. */
  pause(): () => void;
}

/**
 * Stores batches, whatever client fetched them. An offset is committed only when all before it are stored (or are dead letters). A partition
 * whose message cannot be stored now is paused and resumed later, and the others go on.
 */
export class BatchStore {
  private readonly backoffs = new Map<string, Backoff>();
  private readonly timers = new Set<NodeJS.Timeout>();

  constructor(
    private readonly limits: ConsumerLimits,
    private readonly handle: (record: InboxRecord) => Promise<Fate>,
  ) {}

  async store(batch: FetchedBatch): Promise<void> {
    const { topic, partition, messages } = batch;
    const records = messages.map((raw) => inboxRecord(topic, partition, raw));
    const done = await handleBatch(records, this.limits.accepting, this.handle, () => batch.mayGoOn());
    const lastDone = records[done - 1]?.offset;
    if (lastDone !== undefined) await batch.commit(lastDone);
    if (done === records.length) this.backoff(topic, partition).succeeded();
    else if (batch.mayGoOn()) this.rest(batch.pause(), this.backoff(topic, partition).failed());
  }

  stop(): void {
    for (const timer of this.timers) clearTimeout(timer);
  }

  private rest(resume: () => void, ms: number): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      resume();
    }, ms);
    this.timers.add(timer);
  }

  private backoff(topic: string, partition: number): Backoff {
    const name = `${topic}/${partition}`;
    const { backoffFirstMs, backoffMostMs } = this.limits;
    const known = this.backoffs.get(name) ?? new Backoff(backoffFirstMs, backoffMostMs, () => performance.now());
    this.backoffs.set(name, known);
    return known;
  }
}

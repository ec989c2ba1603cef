import type { Consumer, EachBatchPayload } from 'kafkajs';
import { Backoff } from './backoff.js';
import { handleBatch, type Fate } from './batch.js';
import { inboxRecord, type InboxRecord } from './inbox-records.js';
import { KafkaClient, type KafkaClientConfig } from './kafka-client.js';
import { kafkaReason } from './kafka-errors.js';

export interface ConsumerLimits {
  /** Messages that are stored at the same time, of one partition. */
  readonly accepting: number;
  /** Partitions read at the same time by one instance. */
  readonly partitionsAtOnce: number;
  /** Held in memory, of one answer of a broker. */
  readonly fetchBytes: number;
  /** An instance that is silent for so long loses its partitions to the others. */
  readonly sessionMs: number;
  readonly heartbeatMs: number;
  /** A partition whose message could not be stored rests, at first and at most. */
  readonly backoffFirstMs: number;
  readonly backoffMostMs: number;
}

export interface InboxConsumerConfig {
  readonly client: KafkaClientConfig;
  readonly group: string;
  readonly topics: readonly string[];
  readonly limits: ConsumerLimits;
  readonly handle: (record: InboxRecord) => Promise<Fate>;
  /** It has ended by itself and is to be replaced. */
  readonly onEnd: (reason: string) => void;
}

/** Larger than the largest message, or a partition that holds one would stand still. */
const PARTITION_BYTES = 4_000_000;
const FETCH_WAIT_MS = 500;
const STOP_WITHIN_MS = 5_000;
/** kafkajs has been seen to stand still without a word (README): without a sign of life for so many sessions it is replaced. */
const SILENT_SESSIONS = 3;

/**
 * Reads partners' topics as one of a group. An offset is committed only when all before it are stored (or are dead letters). kafkajs
 * fetches no more while a batch is being stored, so a slow receiver slows the reading; a partition whose message cannot be stored now
 * is paused and resumed later, and the others go on.
 */
export class InboxConsumer {
  private readonly client: KafkaClient;
  private readonly consumer: Consumer;
  private readonly backoffs = new Map<string, Backoff>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private lastSign = performance.now();
  private watchdog: NodeJS.Timeout | undefined;
  private hasEnded = false;

  constructor(private readonly config: InboxConsumerConfig) {
    const { limits, group } = config;
    this.client = new KafkaClient(config.client);
    this.consumer = this.client.kafka.consumer({
      groupId: group,
      sessionTimeout: limits.sessionMs,
      rebalanceTimeout: Math.max(limits.sessionMs, 10_000),
      heartbeatInterval: limits.heartbeatMs,
      maxBytesPerPartition: PARTITION_BYTES,
      maxBytes: limits.fetchBytes,
      maxWaitTimeInMs: FETCH_WAIT_MS,
      allowAutoTopicCreation: false,
      // Whether to begin anew is our own decision: kafkajs ends for good at errors that it takes for final.
      retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 8, restartOnFailure: () => Promise.resolve(false) },
    });
    const { HEARTBEAT, FETCH, CRASH } = this.consumer.events;
    const alive = (): void => void (this.lastSign = performance.now());
    this.consumer.on(HEARTBEAT, alive);
    this.consumer.on(FETCH, alive);
    this.consumer.on(CRASH, ({ payload }) => this.end(this.client.tlsError ?? kafkaReason(payload.error)));
  }

  async start(): Promise<void> {
    const { limits, topics } = this.config;
    await this.consumer.connect();
    await this.consumer.subscribe({ topics: [...topics], fromBeginning: true });
    await this.consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: limits.partitionsAtOnce,
      eachBatch: (payload) => this.store(payload),
    });
    this.lastSign = performance.now();
    // It may have crashed, or been stopped, while it was starting: nobody would end the watchdog then.
    if (this.hasEnded) return;
    this.watchdog = setInterval(() => this.watch(), limits.sessionMs);
  }

  async stop(): Promise<void> {
    this.hasEnded = true;
    clearInterval(this.watchdog);
    for (const timer of this.timers) clearTimeout(timer);
    const stopped = this.consumer.disconnect().catch(() => undefined);
    await Promise.race([stopped, new Promise((resolve) => setTimeout(resolve, STOP_WITHIN_MS).unref())]);
    this.client.destroy();
  }

  private end(reason: string): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    clearInterval(this.watchdog);
    this.config.onEnd(reason);
  }

  private watch(): void {
    if (performance.now() - this.lastSign > this.config.limits.sessionMs * SILENT_SESSIONS) this.end('SILENT');
  }

  private async store(payload: EachBatchPayload): Promise<void> {
    const { topic, partition, messages } = payload.batch;
    const beat = this.beatWhile(payload);
    const mayGoOn = (): boolean => payload.isRunning() && !payload.isStale() && beat.isMember();
    const records = messages.map((raw) => inboxRecord(topic, partition, raw));
    const { accepting } = this.config.limits;
    const done = await handleBatch(records, accepting, (record) => this.config.handle(record), mayGoOn).finally(() => beat.stop());
    await commit(payload, records[done - 1]?.offset);
    if (done === records.length) this.backoff(topic, partition).succeeded();
    else if (mayGoOn()) this.rest(payload.pause(), this.backoff(topic, partition).failed());
    beat.rethrow();
  }

  /** kafkajs sends no heartbeat of its own while a batch is being handled. */
  private beatWhile(payload: EachBatchPayload): { stop: () => void; isMember: () => boolean; rethrow: () => void } {
    let failure: unknown;
    const timer = setInterval(() => {
      payload.heartbeat().catch((error: unknown) => {
        failure ??= error;
        clearInterval(timer);
      });
    }, this.config.limits.heartbeatMs);
    return {
      stop: () => clearInterval(timer),
      isMember: () => failure === undefined,
      rethrow: () => {
        if (failure !== undefined) throw failure instanceof Error ? failure : new Error('heartbeat failed');
      },
    };
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
    const { backoffFirstMs, backoffMostMs } = this.config.limits;
    const known = this.backoffs.get(name) ?? new Backoff(backoffFirstMs, backoffMostMs, () => performance.now());
    this.backoffs.set(name, known);
    return known;
  }
}

async function commit(payload: EachBatchPayload, lastDone: string | undefined): Promise<void> {
  if (lastDone === undefined) return;
  const { topic, partition } = payload.batch;
  payload.resolveOffset(lastDone);
  const offset = (BigInt(lastDone) + 1n).toString();
  await payload.commitOffsetsIfNecessary({ topics: [{ topic, partitions: [{ partition, offset }] }] });
}

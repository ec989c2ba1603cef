import { setTimeout as pause } from 'node:timers/promises';
import { Backoff } from './backoff.js';
import type { KafkaClients, RecordProducer, TopicRecord } from './clients.js';
import type { KafkaClientConfig } from './kafka-client.js';
import { KafkajsProducer } from './kafkajs-producer.js';

export interface WriterLimits {
  /** How long the first record of a batch waits for company. */
  readonly lingerMs: number;
  /** Of one batch, which is one produce request. A single larger record goes alone. */
  readonly maxBatchBytes: number;
  readonly maxBatchRecords: number;
  /** Records that wait or are on their way; more are not taken. */
  readonly maxWaiting: number;
  readonly maxWaitingBytes: number;
  /** A batch, from the moment that it leaves, with the repetitions of its request. */
  readonly batchMs: number;
  /** One answer of a broker. */
  readonly answerMs: number;
  readonly backoffFirstMs: number;
  readonly backoffMostMs: number;
}

export const WRITER_LIMITS: WriterLimits = {
  lingerMs: 1,
  maxBatchBytes: 3_000_000,
  maxBatchRecords: 1_000,
  maxWaiting: 2_000,
  maxWaitingBytes: 64_000_000,
  batchMs: 30_000,
  answerMs: 10_000,
  backoffFirstMs: 100,
  backoffMostMs: 5_000,
};

/** Why records were not written. `tls` where a certificate was refused. */
export class WriteFailure extends Error {
  constructor(
    readonly reason: 'backoff' | 'full' | 'closed' | 'tls' | 'kafka',
    readonly detail: string,
    cause?: unknown,
  ) {
    super(detail, { cause });
    this.name = 'WriteFailure';
  }
}

interface Waiting {
  readonly record: TopicRecord;
  readonly bytes: number;
  readonly stored: () => void;
  readonly failed: (error: WriteFailure) => void;
}

const RECORD_OVERHEAD_BYTES = 200;
const kafkajsProducers: Pick<KafkaClients, 'producer'> = { producer: (config) => new KafkajsProducer(config) };

/**
 * Writes one topic, in order: one produce request at a time, into which goes whatever has gathered meanwhile. Idempotent and
 * acknowledged by all replicas in sync.
 *
 * kafkajs gives the sequence numbers of a failed request to the next one. Were the failed one stored all the same, the broker would take
 * the next for its repetition, acknowledge it and drop it. So no two requests are ever under way, and after a failure the producer is
 * thrown away with its id; what it may have written is written again, and the receiver knows it by its id.
 */
export class TopicWriter {
  private readonly queue: Waiting[] = [];
  private readonly backoff: Backoff;
  private waitingCount = 0;
  private waitingBytes = 0;
  private running: Promise<void> | undefined;
  private isClosed = false;
  private producer: RecordProducer | undefined;
  private connected: Promise<void> | undefined;

  constructor(
    private readonly topic: string,
    private readonly config: KafkaClientConfig,
    private readonly limits: WriterLimits,
    /** Not before this: another writer of the topic finishes first. */
    private readonly after: Promise<unknown> = Promise.resolve(),
    private readonly clients: Pick<KafkaClients, 'producer'> = kafkajsProducers,
  ) {
    this.backoff = new Backoff(limits.backoffFirstMs, limits.backoffMostMs, () => performance.now());
  }

  /** Resolves when the brokers hold the record. Rejects with `WriteFailure`; the record may have been written all the same. */
  send(record: TopicRecord): Promise<void> {
    const bytes = (record.value?.length ?? 0) + record.key.length + RECORD_OVERHEAD_BYTES;
    const { maxWaiting, maxWaitingBytes } = this.limits;
    if (this.isClosed) return Promise.reject(new WriteFailure('closed', 'the link is closed'));
    if (this.waitingCount >= maxWaiting || this.waitingBytes + bytes > maxWaitingBytes)
      return Promise.reject(new WriteFailure('full', 'too many messages wait'));
    if (this.backoff.isWaiting) return Promise.reject(new WriteFailure('backoff', 'waiting before the next attempt'));
    this.waitingCount += 1;
    this.waitingBytes += bytes;
    const settled = (): void => {
      this.waitingCount -= 1;
      this.waitingBytes -= bytes;
    };
    const written = new Promise<void>((stored, failed) => this.queue.push({ record, bytes, stored, failed })).finally(settled);
    this.running ??= this.run().finally(() => (this.running = undefined));
    return written;
  }

  /** Takes no more, and lets go when what waits has been written or has failed. */
  async retire(): Promise<void> {
    this.isClosed = true;
    await this.running;
    await this.letGo();
  }

  /** Destroys the sockets now; whatever waits fails. */
  destroy(): void {
    this.isClosed = true;
    this.failAll(this.queue.splice(0), new WriteFailure('closed', 'the link was dropped'));
    this.producer?.destroy();
  }

  private async run(): Promise<void> {
    await this.after.catch(() => undefined);
    while (this.queue.length > 0) {
      if (this.limits.lingerMs > 0 && !this.hasFullBatch()) await pause(this.limits.lingerMs);
      const batch = this.nextBatch();
      if (batch.length > 0) await this.write(batch);
    }
  }

  private hasFullBatch(): boolean {
    return this.queue.length >= this.limits.maxBatchRecords || this.waitingBytes >= this.limits.maxBatchBytes;
  }

  private nextBatch(): Waiting[] {
    let [count, bytes] = [0, 0];
    for (const { bytes: more } of this.queue) {
      if (count >= this.limits.maxBatchRecords || (count > 0 && bytes + more > this.limits.maxBatchBytes)) break;
      count += 1;
      bytes += more;
    }
    return this.queue.splice(0, count);
  }

  private async write(batch: readonly Waiting[]): Promise<void> {
    try {
      await within(this.limits.batchMs, this.produce(batch));
      this.backoff.succeeded();
      for (const { stored } of batch) stored();
    } catch (error) {
      this.backoff.failed();
      const failure = this.failureOf(error);
      void this.letGo();
      // What waits behind must not arrive earlier than what failed.
      this.failAll([...batch, ...this.queue.splice(0)], failure);
    }
  }

  private async produce(batch: readonly Waiting[]): Promise<void> {
    const producer = (this.producer ??= this.clients.producer({ ...this.config, answerMs: this.limits.answerMs }));
    await (this.connected ??= producer.connect());
    await producer.send(
      this.topic,
      batch.map(({ record }) => record),
    );
  }

  private failureOf(error: unknown): WriteFailure {
    const tls = this.producer?.tlsError;
    if (tls !== undefined) return new WriteFailure('tls', tls, error);
    return new WriteFailure('kafka', 'not written', error);
  }

  private async letGo(): Promise<void> {
    const { producer, connected } = this;
    this.producer = this.connected = undefined;
    if (producer === undefined) return;
    const isConnected = await connected?.then(
      () => true,
      () => false,
    );
    if (isConnected === true) await producer.leave();
    else producer.destroy();
  }

  private failAll(waiting: readonly Waiting[], failure: WriteFailure): void {
    for (const { failed } of waiting) failed(failure);
  }
}

class Overdue extends Error {
  override readonly name = 'Overdue';
  readonly code = 'ETIMEDOUT';
}

/** The answer, or `ETIMEDOUT`. */
async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Overdue('no answer in time')), ms);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}

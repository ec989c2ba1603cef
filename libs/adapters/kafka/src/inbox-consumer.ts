import type { Consumer, EachBatchPayload } from 'kafkajs';
import { BatchStore } from './batch-store.js';
import type { InboxConsumerConfig, RecordConsumer } from './clients.js';
import { KafkaClient } from './kafka-client.js';
import { kafkaReason } from './kafka-errors.js';

/** Larger than the largest message, or a partition that holds one would stand still. */
const PARTITION_BYTES = 4_000_000;
const FETCH_WAIT_MS = 500;
const STOP_WITHIN_MS = 5_000;
/** kafkajs has been seen to stand still without a word (README): without a sign of life for so many sessions it is replaced. */
const SILENT_SESSIONS = 3;

/**
 * Reads partners' topics as one of a group. kafkajs fetches no more while a batch is being stored, so a slow receiver slows the reading.
 */
export class InboxConsumer implements RecordConsumer {
  private readonly client: KafkaClient;
  private readonly consumer: Consumer;
  private readonly batches: BatchStore;
  private lastSign = performance.now();
  private watchdog: NodeJS.Timeout | undefined;
  private hasEnded = false;

  constructor(private readonly config: InboxConsumerConfig) {
    const { limits, group } = config;
    this.client = new KafkaClient(config.client);
    this.batches = new BatchStore(limits, config.handle);
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
    this.batches.stop();
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
    const beat = this.beatWhile(payload);
    const { topic, partition, messages } = payload.batch;
    await this.batches
      .store({
        topic,
        partition,
        messages,
        mayGoOn: () => payload.isRunning() && !payload.isStale() && beat.isMember(),
        commit: (lastDone) => commit(payload, lastDone),
        pause: () => payload.pause(),
      })
      .finally(() => beat.stop());
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
}

async function commit(payload: EachBatchPayload, lastDone: string): Promise<void> {
  const { topic, partition } = payload.batch;
  payload.resolveOffset(lastDone);
  const offset = (BigInt(lastDone) + 1n).toString();
  await payload.commitOffsetsIfNecessary({ topics: [{ topic, partitions: [{ partition, offset }] }] });
}

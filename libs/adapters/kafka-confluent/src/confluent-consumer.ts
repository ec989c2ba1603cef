import { BatchStore, type InboxConsumerConfig, type RecordConsumer } from '@portolan/kafka';
import type { ConfluentLibrary, LibraryBatchPayload, LibraryConsumer } from './confluent-library.js';
import { failureOf, LibraryFailure, within } from './failures.js';
import { commonSettings, tlsVerdict } from './settings.js';

/** Larger than the largest message, or a partition that holds one would stand still. */
const PARTITION_BYTES = 4_000_000;
const FETCH_WAIT_MS = 500;
const ANSWER_MS = 10_000;
const CONNECT_WITHIN_MS = 15_000;
const STOP_WITHIN_MS = 5_000;
/** What the library hands over at once, of one partition. */
const BATCH_MESSAGES = 256;

/**
 * Reads partners' topics as one of the inbox's group. librdkafka holds its place in the group and fetches ahead on threads of its own, up to
 * `fetchBytes`, also while a batch is being stored; it finds brokers that were away again by itself.
 */
export class ConfluentConsumer implements RecordConsumer {
  private readonly consumer: LibraryConsumer;
  private readonly batches: BatchStore;
  private verdict: string | undefined;
  private isStopped = false;

  constructor(
    private readonly library: ConfluentLibrary,
    private readonly config: InboxConsumerConfig,
  ) {
    const { limits, group, client } = config;
    this.batches = new BatchStore(limits, config.handle);
    const common = commonSettings(client, ANSWER_MS, { line: (text) => (this.verdict = tlsVerdict(text) ?? this.verdict) });
    this.consumer = new library.Kafka().consumer({
      ...common,
      kafkaJS: { ...common.kafkaJS, groupId: group, fromBeginning: true, autoCommit: false },
      'session.timeout.ms': limits.sessionMs,
      'heartbeat.interval.ms': limits.heartbeatMs,
      'max.partition.fetch.bytes': Math.min(PARTITION_BYTES, limits.fetchBytes),
      'fetch.max.bytes': limits.fetchBytes,
      'queued.max.messages.kbytes': Math.ceil(limits.fetchBytes / 1_024),
      'fetch.wait.max.ms': FETCH_WAIT_MS,
      'js.consumer.max.batch.size': BATCH_MESSAGES,
    });
  }

  async start(): Promise<void> {
    const { limits, topics } = this.config;
    try {
      await within(CONNECT_WITHIN_MS, this.consumer.connect());
      await this.consumer.subscribe({ topics: [...topics] });
      await this.consumer.run({
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: limits.partitionsAtOnce,
        eachBatch: (payload) => this.store(payload),
      });
    } catch (error) {
      throw this.verdict === undefined ? failureOf(error, this.library.ErrorCodes) : new LibraryFailure(this.verdict, error);
    }
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    this.batches.stop();
    await within(STOP_WITHIN_MS, this.consumer.disconnect()).catch(() => undefined);
  }

  private async store(payload: LibraryBatchPayload): Promise<void> {
    const { topic, partition, messages } = payload.batch;
    await this.batches.store({
      topic,
      partition,
      messages,
      mayGoOn: () => !this.isStopped && payload.isRunning() && !payload.isStale(),
      commit: async (lastDone) => {
        payload.resolveOffset(lastDone);
        await payload.commitOffsetsIfNecessary();
      },
      pause: () => this.pause(payload),
    });
  }

  /** The partition may have become another's, and the consumer may have ended, until it is resumed. */
  private pause(payload: LibraryBatchPayload): () => void {
    const resume = payload.pause();
    return () => {
      if (this.isStopped) return;
      try {
        resume();
      } catch (error) {
        this.config.onEnd(failureOf(error, this.library.ErrorCodes).type);
      }
    };
  }
}

import type { InboxRecord } from './inbox-records.js';
import type { Fate } from './batch.js';
import type { KafkaClientConfig } from './kafka-client.js';

/** One record; what it weighs is its value and a little for what stands around it. */
export interface TopicRecord {
  readonly key: string;
  readonly value: Uint8Array | null;
  readonly headers: Readonly<Record<string, string | Buffer>>;
}

/** A way to write, over connections of its own; one that failed is thrown away. */
export interface RecordProducer {
  connect(): Promise<void>;
  /**
   * Resolves when the brokers hold all of them: idempotent, acknowledged by all replicas in sync, those of one key in their order. Rejects with an
   * error of which `kafkaReason` tells the name; some may have been written all the same.
   */
  send(topic: string, records: readonly TopicRecord[]): Promise<void>;
  /** The verdict on a certificate, ours or the broker's, where that was the last thing that went wrong. */
  readonly tlsError: string | undefined;
  /** In order, within a second or so. */
  leave(): Promise<void>;
  /** Lets go of the connections now; whatever is under way fails. */
  destroy(): void;
}

/** One instance of the inbox's group. */
export interface RecordConsumer {
  /** Resolves when it is connected and reads. */
  start(): Promise<void>;
  /** Bounded in time. */
  stop(): Promise<void>;
}

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

/** What writes and reads: kafkajs, or another client. Topics, grants and dead letters are kafkajs' whatever it is. */
export interface KafkaClients {
  /** `answerMs` of the configuration bounds one answer, `batchMs` all that a batch waits for. */
  producer(config: KafkaClientConfig & { readonly answerMs: number }): RecordProducer;
  consumer(config: InboxConsumerConfig): RecordConsumer;
}

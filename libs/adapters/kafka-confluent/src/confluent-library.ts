import { createRequire } from 'node:module';
import { PortolanError } from '@portolan/contracts';

/*
 * What is used of @confluentinc/kafka-javascript 1.10.1. Its own types name the package, which lies in the user's cache and not among ours:
 * it has to be compiled on each machine, and nobody shall have to who does not want it.
 */

export interface LibraryMessage {
  readonly key: string | Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: Readonly<Record<string, string | Buffer>>;
}

export interface LibraryProducer {
  connect(): Promise<void>;
  send(record: { readonly topic: string; readonly messages: LibraryMessage[] }): Promise<unknown>;
  disconnect(): Promise<void>;
}

export interface LibraryBatchPayload {
  readonly batch: {
    readonly topic: string;
    readonly partition: number;
    readonly messages: readonly {
      readonly offset: string;
      readonly key: Buffer | null;
      readonly value: Buffer | null;
      readonly headers?: Readonly<Record<string, unknown>>;
    }[];
  };
  resolveOffset(offset: string): void;
  /** Commits what was resolved, of every partition. */
  commitOffsetsIfNecessary(): Promise<void>;
  pause(): () => void;
  isRunning(): boolean;
  isStale(): boolean;
}

export interface LibraryConsumer {
  connect(): Promise<void>;
  subscribe(topics: { readonly topics: readonly string[] }): Promise<void>;
  run(config: {
    readonly eachBatchAutoResolve: boolean;
    readonly partitionsConsumedConcurrently: number;
    readonly eachBatch: (payload: LibraryBatchPayload) => Promise<void>;
  }): Promise<void>;
  disconnect(): Promise<void>;
}

/** Told by librdkafka's own names and numbers; `kafkaJS` are the few settings under kafkajs' names. */
export interface LibrarySettings {
  readonly kafkaJS: Readonly<Record<string, unknown>>;
  readonly [setting: string]: unknown;
}

export interface ConfluentLibrary {
  /** Its numbers of what goes wrong, by name; Kafka's own above zero. */
  readonly ErrorCodes: Readonly<Record<string, unknown>>;
  readonly Kafka: new () => { producer(settings: LibrarySettings): LibraryProducer; consumer(settings: LibrarySettings): LibraryConsumer };
}

/**
 * The compiled package in `folder` (tools/engines/confluent ends with it). Throws `config.invalid` where it is not there, or was compiled for another
 * Node.
 */
export function loadLibrary(folder: string): ConfluentLibrary {
  try {
    const { KafkaJS } = createRequire(import.meta.url)(folder) as { KafkaJS: ConfluentLibrary };
    return KafkaJS;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new PortolanError('config.invalid', 'kafkaClient.package', code ?? 'it cannot be loaded');
  }
}

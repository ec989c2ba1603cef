import { Partitioners, type Producer } from 'kafkajs';
import type { RecordProducer, TopicRecord } from './clients.js';
import { KafkaClient, RETRY, type KafkaClientConfig } from './kafka-client.js';
import { within } from './within.js';

const LEAVE_WITHIN_MS = 1_000;

/** kafkajs' producer, one request at a time. */
export class KafkajsProducer implements RecordProducer {
  private readonly client: KafkaClient;
  private readonly producer: Producer;

  constructor(config: KafkaClientConfig) {
    this.client = new KafkaClient(config);
    this.producer = this.client.kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: Partitioners.DefaultPartitioner,
      // One at the least, or kafkajs makes no idempotent producer: a repetition within one request is the one it tells apart rightly.
      retry: RETRY,
    });
  }

  get tlsError(): string | undefined {
    return this.client.tlsError;
  }

  connect(): Promise<void> {
    return this.producer.connect();
  }

  async send(topic: string, records: readonly TopicRecord[]): Promise<void> {
    const messages = records.map(({ key, value, headers }) => ({ key, value: bufferOf(value), headers: { ...headers } }));
    await this.producer.send({ topic, acks: -1, messages });
  }

  async leave(): Promise<void> {
    await within(LEAVE_WITHIN_MS, this.producer.disconnect()).catch(() => undefined);
    this.client.destroy();
  }

  destroy(): void {
    this.client.destroy();
  }
}

/** The same bytes as the Buffer that clients want. */
export const bufferOf = (value: Uint8Array | null): Buffer | null =>
  value === null ? null : Buffer.from(value.buffer, value.byteOffset, value.length);

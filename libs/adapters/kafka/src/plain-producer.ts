import { Kafka, logLevel, Partitioners } from 'kafkajs';
import type { BrokerAddress, ClientIdentity } from './kafka-client.js';
import type { TopicRecord } from './clients.js';

/** A client of a broker without anything of ours around it: what benchmarks compare with. */
export interface PlainProducer {
  /** One request with all of these; resolves when the brokers hold them. */
  send(records: readonly TopicRecord[]): Promise<void>;
  close(): Promise<void>;
}

/** kafkajs as its documents show it, as safe as ours: idempotent, acknowledged by all replicas, over the same mutual TLS. */
export async function plainKafkajs(topic: string, brokers: readonly BrokerAddress[], identity: ClientIdentity): Promise<PlainProducer> {
  const { authorityPem: ca, certificatePem: cert, privateKeyPem: key } = identity;
  const kafka = new Kafka({
    clientId: 'plain',
    brokers: brokers.map(({ host, port }) => `${host}:${port}`),
    ssl: { ca, cert, key, minVersion: 'TLSv1.3' },
    logLevel: logLevel.NOTHING,
  });
  const createPartitioner = Partitioners.DefaultPartitioner;
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false, createPartitioner });
  await producer.connect();
  return {
    async send(records) {
      const messages = records.map(({ key: name, value, headers }) => ({ key: name, value: value as Buffer, headers: { ...headers } }));
      await producer.send({ topic, acks: -1, messages });
    },
    close: () => producer.disconnect(),
  };
}

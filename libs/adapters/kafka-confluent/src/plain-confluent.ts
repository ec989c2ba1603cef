import { bufferOf, type BrokerAddress, type ClientIdentity, type PlainProducer } from '@portolan/kafka';
import { loadLibrary } from './confluent-library.js';

/** The library as its documents show it, as safe as ours: idempotent, acknowledged by all replicas, over the same mutual TLS. */
export async function plainConfluent(
  folder: string,
  topic: string,
  brokers: readonly BrokerAddress[],
  identity: ClientIdentity,
): Promise<PlainProducer> {
  const silent = { info: quiet, error: quiet, warn: quiet, debug: quiet, namespace: () => silent, setLogLevel: quiet };
  const kafkaJS = { clientId: 'plain', brokers: brokers.map(({ host, port }) => `${host}:${port}`), ssl: true, logger: silent };
  const { privateKeyPem, certificatePem, authorityPem } = identity;
  const tls = { 'ssl.key.pem': privateKeyPem, 'ssl.certificate.pem': certificatePem, 'ssl.ca.pem': authorityPem };
  const producer = new (loadLibrary(folder).Kafka)().producer({
    kafkaJS: { ...kafkaJS, idempotent: true, acks: -1 },
    ...tls,
    'message.max.bytes': 3_200_000,
    // Its default of 5 ms would be what a message costs that is awaited alone.
    'queue.buffering.max.ms': 0,
  });
  await producer.connect();
  return {
    async send(records) {
      const messages = records.map(({ key, value, headers }) => ({ key, value: bufferOf(value), headers: { ...headers } }));
      await producer.send({ topic, messages });
    },
    close: () => producer.disconnect(),
  };
}

const quiet = (): void => undefined;

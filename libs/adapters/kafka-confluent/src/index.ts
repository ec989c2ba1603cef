import type { KafkaClients } from '@portolan/kafka';
import { ConfluentConsumer } from './confluent-consumer.js';
import { loadLibrary } from './confluent-library.js';
import { ConfluentProducer } from './confluent-producer.js';

export { plainConfluent } from './plain-confluent.js';

/** The inbox's writing and reading on the package that tools/engines/confluent compiled into `folder`. Throws `config.invalid`. */
export function confluentClients(folder: string): KafkaClients {
  const library = loadLibrary(folder);
  return {
    producer: (config) => new ConfluentProducer(library, config),
    consumer: (config) => new ConfluentConsumer(library, config),
  };
}

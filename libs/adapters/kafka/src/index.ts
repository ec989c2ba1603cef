export { KafkaDeadLetters, type KafkaDeadLetter } from './dead-letters.js';
export type { ConsumerLimits } from './inbox-consumer.js';
export { type BrokerAddress, type ClientIdentity, type KafkaClientConfig } from './kafka-client.js';
export { KafkaInboxAdmin, TOPIC_LIMITS, type AdmittedPartner, type TopicLimits } from './kafka-inbox-admin.js';
export { INBOX_LIMITS, KafkaInboxListener, type KafkaInboxConfig, type KafkaInboxLimits } from './kafka-inbox-listener.js';
export { KafkaPartnerLink, type KafkaEndpoint, type KafkaPartnerLinkConfig } from './kafka-partner-link.js';
export type { KafkaLog } from './log.js';
export { TopicWriter, WRITER_LIMITS, type TopicRecord, type WriterLimits } from './topic-writer.js';

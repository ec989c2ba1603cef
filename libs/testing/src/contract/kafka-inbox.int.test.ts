import { describe } from 'vitest';
import type { ClientName } from '../stack/kafka/client.js';
import { kafkaAbsent, kafkaFixture } from './kafka-fixture.js';
import { partnerInboxContract } from './partner-inbox.contract.js';

const absent = await kafkaAbsent();
/** Another client on request: `npx vitest run --project kafka-confluent`. */
const client = (process.env['KAFKA_CLIENT'] ?? 'kafkajs') as ClientName;
const inCi = process.env['CI'] === 'true';

describe.skipIf(absent !== undefined && !inCi)(`Kafka between countries${absent === undefined ? '' : ` (skipped: ${absent})`}`, () => {
  partnerInboxContract(() => kafkaFixture(client));
});

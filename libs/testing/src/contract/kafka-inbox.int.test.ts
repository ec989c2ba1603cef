import { describe } from 'vitest';
import { kafkaAbsent, kafkaFixture } from './kafka-fixture.js';
import { partnerInboxContract } from './partner-inbox.contract.js';

const absent = await kafkaAbsent();
const inCi = process.env['CI'] === 'true';

describe.skipIf(absent !== undefined && !inCi)(`Kafka between countries${absent === undefined ? '' : ` (skipped: ${absent})`}`, () => {
  partnerInboxContract(kafkaFixture);
});

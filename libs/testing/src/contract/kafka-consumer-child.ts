import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { confluentClients } from '@portolan/kafka-confluent';
import { KafkaInboxListener, type AdmittedPartner, type BrokerAddress, type ClientIdentity } from '@portolan/kafka';

/**
 * An instance of the inbox in a process of its own, for tests that kill it. Its argument names a file with what it needs; its database is
 * a file of ids, each once. Says `ready` when it reads.
 */
interface Plan {
  readonly brokers: readonly BrokerAddress[];
  readonly identity: ClientIdentity;
  readonly partners: readonly AdmittedPartner[];
  readonly imports: string;
  readonly acceptMs: number;
  /** Of a client that is not kafkajs. */
  readonly package?: string;
}

const [file = ''] = process.argv.slice(2);
const { brokers, identity, partners, imports, acceptMs, package: folder } = JSON.parse(readFileSync(file, 'utf8')) as Plan;
const known = new Set(existsSync(imports) ? readFileSync(imports, 'utf8').split('\n') : []);
const nowhere = { failure: () => undefined };
const limits = { sessionMs: 3_000, heartbeatMs: 500, accepting: 4 };
const other = folder === undefined ? {} : { clients: confluentClients(folder) };
const inbox = new KafkaInboxListener({ brokers, identity, partners: () => Promise.resolve(partners), log: nowhere, limits, ...other });
await inbox.listen(
  async (_from, { id }) => {
    await pause(acceptMs);
    if (known.has(id)) return;
    known.add(id);
    appendFileSync(imports, `${id}\n`);
  },
  () => Promise.resolve(true),
);
process.stdout.write('ready\n');
process.once('SIGTERM', () => void inbox.close().then(() => process.exit(0)));

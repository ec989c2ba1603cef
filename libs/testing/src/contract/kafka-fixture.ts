import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CountryCode } from '@portolan/contracts';
import {
  KafkaInboxListener,
  KafkaPartnerLink,
  type AdmittedPartner,
  type KafkaInboxConfig,
  type KafkaLog,
  type WriterLimits,
} from '@portolan/kafka';
import type { TlsIdentity } from '@portolan/keys';
import { otherClient, type ClientName, type OtherClient } from '../stack/kafka/client.js';
import { newAuthority, serverIdentity } from '../stack/certificates.js';
import { kafkaEngine } from '../stack/kafka/engine.js';
import { KafkaBroker } from '../stack/kafka/kafka-broker.js';
import type { Admitted, PartnerInboxFixture } from './partner-inbox.contract.js';

const HOST = '127.0.0.1';

/** EE's broker, inboxes on it and links to it. */
export interface KafkaFixture extends PartnerInboxFixture {
  readonly broker: KafkaBroker;
  /** What the exchange shows within its country. */
  readonly inner: TlsIdentity;
  readonly log: KafkaLog & { readonly lines: string[] };
  /** What writes and reads, where it is not kafkajs. */
  readonly other: OtherClient | undefined;
  listener(admitted: () => readonly Admitted[], changes?: Partial<KafkaInboxConfig>): KafkaInboxListener;
  kafkaLink(country: CountryCode, identity: () => TlsIdentity, limits?: Partial<WriterLimits>): KafkaPartnerLink;
}

/** Why Kafka cannot run here; undefined where it can. */
export async function kafkaAbsent(): Promise<string | undefined> {
  const engine = await kafkaEngine();
  return 'absent' in engine ? engine.absent : undefined;
}

export async function kafkaFixture(client: ClientName = 'kafkajs'): Promise<KafkaFixture> {
  const other = await otherClient(client);
  const clients = other === undefined ? {} : { clients: other.clients };
  const engine = await kafkaEngine();
  if ('absent' in engine) throw new Error(engine.absent);
  const root = await mkdtemp(join(tmpdir(), 'portolan-kafka-'));
  const [authority, internal] = await Promise.all([newAuthority('EE'), newAuthority('EE', 'EE internal')]);
  const [partners, country, inner] = await Promise.all([
    serverIdentity(authority, 'inbox EE'),
    serverIdentity(internal, 'broker EE', ['broker']),
    serverIdentity(internal, 'exchange EE', ['exchange']),
  ]);
  const broker = new KafkaBroker({ folder: join(root, 'ee'), engine, partners, country, endsWithUs: true });
  await broker.start();
  const log = collectingLog();
  const listener: KafkaFixture['listener'] = (admitted, changes) =>
    new KafkaInboxListener({
      brokers: [{ host: HOST, port: broker.ports.country }],
      identity: inner,
      partners: () => Promise.resolve(grouped(admitted())),
      log,
      ...clients,
      ...changes,
    });
  const kafkaLink: KafkaFixture['kafkaLink'] = (us, identity, limits = {}) =>
    new KafkaPartnerLink({
      country: us,
      partners: (to) => (to === 'EE' ? { brokers: [{ host: HOST, port: broker.ports.partners }], ...identity() } : undefined),
      log,
      limits,
      ...clients,
    });
  return {
    authority,
    broker,
    inner,
    log,
    other,
    listener,
    kafkaLink,
    async listen(accept, isLive, admitted) {
      const made = listener(() => admitted);
      await made.listen(accept, isLive);
      return made;
    },
    link: kafkaLink,
    away: () => broker.kill(),
    back: async () => {
      await broker.start();
    },
    async close() {
      await broker.stop();
      await rm(root, { recursive: true, force: true });
    },
  };
}

function grouped(admitted: readonly Admitted[]): AdmittedPartner[] {
  const countries = [...new Set(admitted.map(({ country }) => country))];
  return countries.map((country) => ({ country, kids: admitted.filter((one) => one.country === country).map(({ kid }) => kid) }));
}

function collectingLog(): KafkaFixture['log'] {
  const lines: string[] = [];
  return {
    lines,
    failure: (message, code) => void lines.push(`${code}: ${message}`),
  };
}

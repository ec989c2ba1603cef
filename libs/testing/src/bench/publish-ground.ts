import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CountryCode } from '@portolan/contracts';
import { PartnerLink, type ExchangeTx } from '@portolan/domain';
import {
  KafkaInboxAdmin,
  KafkaInboxListener,
  plainKafkajs,
  topicFrom,
  TOPIC_LIMITS,
  type BrokerAddress,
  type ClientIdentity,
  type KafkaClientConfig,
  type PlainProducer,
  type TopicLimits,
} from '@portolan/kafka';
import { plainConfluent } from '@portolan/kafka-confluent';
import {
  admitPartner,
  CountryFolders,
  FileKeyVault,
  findPartnerIdentity,
  MasterKeyDataKeys,
  provisionCountry,
  readTlsIdentity,
  storeAdmission,
  SystemClock,
} from '@portolan/keys';
import { partnerLinkOf } from '@portolan/nest';
import { EmbeddedCluster, migrateCountry, openExchangeDatabase, provisionDatabase, type RoleDatabase } from '@portolan/postgres';
import { X509Authorities } from '@portolan/x509';
import { otherClient, type ClientName, type OtherClient } from '../stack/kafka/client.js';
import { kafkaEngine } from '../stack/kafka/engine.js';
import { countryBroker } from '../world/country-broker.js';

export const [FROM, TO] = ['PT', 'EE'] as const;
const HOST = '127.0.0.1';
/** Nobody is slowed down: a quota would be the measure. */
const topics: TopicLimits = { ...TOPIC_LIMITS, partnerBytesPerSecond: 10_000_000_000 };
const log = { failure: () => undefined, info: () => undefined };

/** PT's exchange database and its link to EE, whose broker stands and lets PT write. */
export interface PublishGround {
  readonly folder: string;
  readonly database: RoleDatabase<ExchangeTx>;
  readonly admin: Parameters<typeof provisionDatabase>[0];
  /** As a node composes it. It stays open from round to round, as it does while a node runs. */
  readonly link: PartnerLink;
  /** EE's door for partners, and who PT is there. */
  readonly door: { readonly brokers: readonly BrokerAddress[]; readonly identity: ClientIdentity };
  /** The client alone, with what it shows at that door. */
  plain(): Promise<PlainProducer>;
  /** Reads EE's inbox until `work` is done; `taken` has the ids of what came. */
  reading(work: (taken: ReadonlySet<string>) => Promise<void>): Promise<void>;
}

/** A cluster of PostgreSQL with every write flushed, and a broker under mutual TLS, in a temporary folder; ended and removed afterwards. */
export async function onPublishGround<T>(
  client: ClientName,
  say: (line: string) => void,
  work: (ground: PublishGround) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'portolan-bench-'));
  await chmod(folder, 0o755);
  const closers: (() => Promise<unknown>)[] = [];
  try {
    return await work(await prepare({ folder, closers, say, other: await otherClient(client, say) }));
  } finally {
    for (const close of closers.reverse()) await close();
    await rm(folder, { recursive: true, force: true });
  }
}

interface Plan {
  readonly folder: string;
  readonly closers: (() => Promise<unknown>)[];
  readonly say: (line: string) => void;
  readonly other: OtherClient | undefined;
}

async function prepare({ folder, closers, say, other }: Plan): Promise<PublishGround> {
  const engine = await kafkaEngine(say);
  if ('absent' in engine) throw new Error(engine.absent);
  const folders = await provisionTwo(folder);
  const cluster = new EmbeddedCluster({ dataFolder: join(folder, 'postgres'), reachableFolder: join(folder, 'reachable') });
  const admin = await cluster.start();
  closers.push(() => cluster.stop());
  const provisioned = await provisionDatabase(admin, FROM, (user) => cluster.passwordOf(user));
  await migrateCountry(provisioned);
  const dataKeys = await MasterKeyDataKeys.open(folders.from.master('exchange'));
  const database = await openExchangeDatabase({ address: provisioned.exchange }, dataKeys);
  closers.push(() => database.close());
  const broker = await countryBroker(folder, TO, { engine, endsWithUs: true });
  const ports = await broker.start();
  closers.push(() => broker.stop());
  const vault = new FileKeyVault({ folder: folders.from.keys('exchange'), clock: new SystemClock() });
  const identity = await findPartnerIdentity(folders.from.partner(TO), vault);
  if (identity === undefined) throw new Error(`${FROM} has no certificate for the door of ${TO}`);
  const inner = { brokers: [{ host: HOST, port: ports.country }], identity: await readTlsIdentity(folders.to.internal('exchange')) };
  const partner = { country: FROM, kids: [identity.kid] };
  const client: KafkaClientConfig = { ...inner, clientId: 'bench', log, code: 'exchange.inbox-unavailable' };
  await letIn(new KafkaInboxAdmin(client, topics), partner);
  const brokers = [{ host: HOST, port: ports.partners }];
  const all = [{ country: TO, inbox: { kind: 'kafka' as const, brokers } }];
  const config = { country: FROM, inbox: { host: HOST, port: 0 } };
  const link = partnerLinkOf({ config, partners: { all }, folders: folders.from, logger: log, kafkaClients: other?.clients }, vault);
  closers.push(() => link.close());
  return {
    folder,
    database,
    admin: { ...admin, database: provisioned.exchange.database },
    link: new KeptLink(link),
    door: { brokers, identity },
    plain: () => plainProducer(other, { brokers, identity }),
    reading: (work) => reading(new KafkaInboxListener({ ...inner, partners: () => Promise.resolve([partner]), log, topics }), work),
  };
}

/** A courier closes its link when it ends; this one is the next courier's, too. */
class KeptLink extends PartnerLink {
  constructor(private readonly inner: PartnerLink) {
    super();
  }

  override send(...message: Parameters<PartnerLink['send']>): Promise<void> {
    return this.inner.send(...message);
  }

  override close(): Promise<void> {
    return Promise.resolve();
  }
}

function plainProducer(other: OtherClient | undefined, { brokers, identity }: PublishGround['door']): Promise<PlainProducer> {
  const topic = topicFrom(FROM);
  return other === undefined ? plainKafkajs(topic, brokers, identity) : plainConfluent(other.package, topic, brokers, identity);
}

async function letIn(admin: KafkaInboxAdmin, partner: { country: CountryCode; kids: readonly string[] }): Promise<void> {
  try {
    await admin.ensure([partner]);
  } finally {
    await admin.close();
  }
}

async function reading(inbox: KafkaInboxListener, work: (taken: ReadonlySet<string>) => Promise<void>): Promise<void> {
  const taken = new Set<string>();
  const isLive = (): Promise<boolean> => Promise.resolve(true);
  try {
    await inbox.listen(async (_from, { id }) => void taken.add(id), isLive);
    await work(taken);
  } finally {
    await inbox.close();
  }
}

/** Keys and certificates of both, and PT's admission at EE's door. */
async function provisionTwo(folder: string): Promise<{ from: CountryFolders; to: CountryFolders }> {
  const tools = { clock: new SystemClock(), authorities: new X509Authorities() };
  const folderOf = (country: CountryCode): string => join(folder, country.toLowerCase());
  const material = await provisionCountry(FROM, { folder: folderOf(FROM), ...tools });
  await provisionCountry(TO, { folder: folderOf(TO), ...tools });
  const [from, to] = [new CountryFolders(folderOf(FROM)), new CountryFolders(folderOf(TO))];
  const { kid, publicJwk } = material.exchange.tls;
  const admission = await admitPartner({ org: FROM, kid, publicJwk }, { authorityFolder: to.authority, ...tools });
  await storeAdmission(from.partner(TO), admission);
  return { from, to };
}

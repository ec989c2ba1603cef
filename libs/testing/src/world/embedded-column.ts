import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CountryCode, OrdererConfig } from '@portolan/contracts';
import { admitPartner, CountryFolders, ordererFolders, provisionOrderer, storeAdmission, type OrdererMaterial } from '@portolan/keys';
import { EmbeddedCluster, migrateOrderer, provisionOrdererDatabase, type DatabaseAddress } from '@portolan/postgres';
import { kafkaEngine } from '../stack/kafka/engine.js';
import type { KafkaBroker } from '../stack/kafka/kafka-broker.js';
import type { Column, ColumnDoors, Foundation, WorldDatabase } from './column.js';
import { countryBroker } from './country-broker.js';
import { keep, keepJson } from './files.js';
import { foundChannel } from './found-channel.js';
import { CHANNEL, HOST, REGULATOR, type ProvisionedOrderer, type WorldPlan } from './provision-world.js';

export interface EmbeddedColumnOptions {
  readonly folder: string;
  readonly fsync: boolean;
  readonly reachableFolder?: string;
  /** Countries whose roles tell each other by a Kafka broker of the country's own; none where absent. */
  readonly eventsByKafka?: readonly CountryCode[];
  readonly progress: (what: string) => void;
}

/** One PostgreSQL from npm for all, an inbox in each node, one orderer: for trying out. */
export class EmbeddedColumn implements Column {
  readonly kind = 'embedded';
  /** Of countries whose roles tell each other by Kafka. */
  readonly brokers = new Map<CountryCode, KafkaBroker>();

  private constructor(
    readonly cluster: EmbeddedCluster,
    private readonly admin: DatabaseAddress,
    private readonly options: EmbeddedColumnOptions,
  ) {}

  static async start(options: EmbeddedColumnOptions): Promise<EmbeddedColumn> {
    const { folder, fsync, reachableFolder, progress } = options;
    progress('starting PostgreSQL');
    const cluster = new EmbeddedCluster({
      dataFolder: join(folder, 'postgres'),
      fsync,
      maxConnections: 200,
      ...(reachableFolder === undefined ? {} : { reachableFolder }),
    });
    return new EmbeddedColumn(cluster, await cluster.start(), options);
  }

  database(): WorldDatabase {
    return { admin: this.admin, passwordOf: (user) => this.cluster.passwordOf(user) };
  }

  async open(foundation: Foundation): Promise<ColumnDoors> {
    const { plan, ports } = foundation;
    const orderer = await this.provisionOrderer(foundation);
    await found(foundation, orderer);
    for (const country of this.options.eventsByKafka ?? []) await this.startBroker(country);
    const door = { host: HOST, port: ports.orderer };
    const inboxOf = (country: string): { host: string; port: number } => ({ host: HOST, port: ports.inboxOf(country) });
    return {
      ledgerOf: () => ({ kind: 'embedded', genesis: genesisFile(plan), orderer: door, headEveryMs: 300 }),
      inboxOf,
      wayTo: inboxOf,
      eventsOf: (country) => this.eventsOf(country),
      orderer: await this.writeOrderer(plan, door),
    };
  }

  async close(): Promise<void> {
    for (const broker of this.brokers.values()) await broker.stop();
    await this.cluster.stop();
  }

  private async startBroker(country: CountryCode): Promise<void> {
    const { folder, progress } = this.options;
    const engine = await kafkaEngine(progress);
    if ('absent' in engine) throw new Error(engine.absent);
    const broker = await countryBroker(folder, country, { engine, endsWithUs: true });
    await broker.start();
    this.brokers.set(country, broker);
  }

  private eventsOf(country: CountryCode): ReturnType<NonNullable<ColumnDoors['eventsOf']>> {
    const broker = this.brokers.get(country);
    return broker === undefined ? undefined : { kind: 'kafka', brokers: [{ host: HOST, port: broker.ports.country }] };
  }

  /** The orderer's organisation has keys of its own, a database, and lets every notary in by its TLS key. */
  private async provisionOrderer({ plan, materials, clock, authorities }: Foundation): Promise<OrdererMaterial> {
    const folder = join(plan.root, REGULATOR.toLowerCase());
    const orderer = await provisionOrderer(REGULATOR, { folder, clock, authorities });
    const { authority: authorityFolder } = ordererFolders(folder);
    for (const { country, notary } of materials) {
      const { kid, publicJwk } = notary.tls;
      const admission = await admitPartner({ org: country, kid, publicJwk }, { authorityFolder, clock, authorities });
      await storeAdmission(new CountryFolders(join(plan.root, country.toLowerCase())).orderer, admission);
    }
    const { admin, passwordOf } = this.database();
    const database = await provisionOrdererDatabase(admin, REGULATOR.toLowerCase(), passwordOf);
    await migrateOrderer(database);
    await keep(join(folder, 'orderer', 'database.secret'), database.orderer.password);
    return orderer;
  }

  private async writeOrderer(plan: WorldPlan, door: OrdererConfig['door']): Promise<ProvisionedOrderer> {
    const home = join(plan.root, REGULATOR.toLowerCase());
    const { host, port } = this.admin;
    const config: OrdererConfig = {
      v: 1,
      org: REGULATOR,
      home,
      genesis: genesisFile(plan),
      door,
      database: { host, port, name: `portolan_${REGULATOR.toLowerCase()}` },
      logging: { level: plan.logLevel },
    };
    const configFile = join(home, 'orderer.json');
    await keepJson(configFile, config);
    return { config, configFile };
  }
}

const genesisFile = (plan: WorldPlan): string => join(plan.root, 'genesis.json');

async function found({ plan, materials: countries, clock, random }: Foundation, orderer: OrdererMaterial): Promise<void> {
  const file = genesisFile(plan);
  if ((await readFile(file, 'utf8').catch(() => undefined)) !== undefined) return;
  const { root, countriesFolder, clockWindowSeconds } = plan;
  const window = clockWindowSeconds === undefined ? {} : { clockWindowSeconds };
  await keep(file, await foundChannel({ channel: CHANNEL, root, countriesFolder, countries, orderer, clock, random, ...window }));
}

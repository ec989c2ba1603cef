import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OrdererConfig } from '@portolan/contracts';
import { admitPartner, CountryFolders, ordererFolders, provisionOrderer, storeAdmission, type OrdererMaterial } from '@portolan/keys';
import { EmbeddedCluster, migrateOrderer, provisionOrdererDatabase, type DatabaseAddress } from '@portolan/postgres';
import type { Column, ColumnDoors, Foundation, WorldDatabase } from './column.js';
import { keep, keepJson } from './files.js';
import { foundChannel } from './found-channel.js';
import { CHANNEL, HOST, REGULATOR, type ProvisionedOrderer, type WorldPlan } from './provision-world.js';

export interface EmbeddedColumnOptions {
  readonly folder: string;
  readonly fsync: boolean;
  readonly reachableFolder?: string;
  readonly progress: (what: string) => void;
}

/** One PostgreSQL from npm for all, an inbox in each node, one orderer: for trying out. */
export class EmbeddedColumn implements Column {
  readonly kind = 'embedded';

  private constructor(
    readonly cluster: EmbeddedCluster,
    private readonly admin: DatabaseAddress,
  ) {}

  static async start({ folder, fsync, reachableFolder, progress }: EmbeddedColumnOptions): Promise<EmbeddedColumn> {
    progress('starting PostgreSQL');
    const cluster = new EmbeddedCluster({
      dataFolder: join(folder, 'postgres'),
      fsync,
      maxConnections: 200,
      ...(reachableFolder === undefined ? {} : { reachableFolder }),
    });
    return new EmbeddedColumn(cluster, await cluster.start());
  }

  database(): WorldDatabase {
    return { admin: this.admin, passwordOf: (user) => this.cluster.passwordOf(user) };
  }

  async open(foundation: Foundation): Promise<ColumnDoors> {
    const { plan, ports } = foundation;
    const orderer = await this.provisionOrderer(foundation);
    await found(foundation, orderer);
    const door = { host: HOST, port: ports.orderer };
    const inboxOf = (country: string): { host: string; port: number } => ({ host: HOST, port: ports.inboxOf(country) });
    return {
      ledgerOf: () => ({ kind: 'embedded', genesis: genesisFile(plan), orderer: door, headEveryMs: 300 }),
      inboxOf,
      wayTo: inboxOf,
      orderer: await this.writeOrderer(plan, door),
    };
  }

  close(): Promise<void> {
    return this.cluster.stop();
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

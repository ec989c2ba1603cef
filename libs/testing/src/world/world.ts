import { join } from 'node:path';
import type { CountryCode, NodeConfig } from '@portolan/contracts';
import { roles, type Role } from '@portolan/domain';
import { startNode, startOrderer, type LogSink } from '@portolan/nest';
import type { DatabaseAddress, EmbeddedCluster } from '@portolan/postgres';
import type { KafkaBroker } from '../stack/kafka/kafka-broker.js';
import type { Column } from './column.js';
import { EmbeddedColumn } from './embedded-column.js';
import { RealColumn } from './real-column.js';
import { FolderFhirService } from './fhir-service.js';
import { WorldProcess } from './processes.js';
import { repository } from './repository.js';
import { isKept } from '../stack/kept.js';
import { provisionWorld, recordsFolder, type ProvisionedCountry, type ProvisionedWorld, type WorldPlan } from './provision-world.js';

export interface WorldOptions {
  /** Engines under the countries: `embedded` where absent, or those that authorities run. */
  readonly column?: 'embedded' | 'real';
  /** Of real engines: the channel's orderers agree by Raft, and nodes reach it by `fabric-network`. */
  readonly raft?: boolean;
  /**
   * Roles apart tell each other by Kafka: on the country's broker of the real column, where they do unless this is false, or on one started
   * beside the embedded engines where it is true.
   */
  readonly eventsByKafka?: boolean;
  /** Where spans go; nowhere unless a test listens. */
  readonly telemetry?: NodeConfig['telemetry'];
  /** Keys, databases and configuration lie here and stay; a second start with the same folder is the same world. */
  readonly folder: string;
  readonly countries?: readonly CountryCode[];
  /** `together`: every country in this process. `apart`: a process a role. */
  readonly roles?: 'together' | 'apart';
  readonly logLevel?: 'silent' | 'error' | 'info';
  readonly sink?: LogSink;
  /** Tests of crashes: each country's processes strike where its checkpoint file says. */
  readonly checkpoints?: boolean;
  /** Where the countries' data lie; those of the house where absent. */
  readonly countriesFolder?: string;
  /** How soon a restarted role takes up what it had begun (node-config). */
  readonly takeOverAfterMs?: number;
  /** How far a transaction's time may be from its block's, and half of how long a transfer waits beyond limit and grace before it expires. */
  readonly clockWindowSeconds?: number;
  /** Where PostgreSQL may put its data when `folder` cannot be reached by its user. */
  readonly reachableFolder?: string;
  readonly fsync?: boolean;
  /** Of real engines: how often a country anchors its log's head, and whether tests can cut the lines between countries. */
  readonly headEveryMs?: number;
  /** Of real engines: most steps and permits of one transaction. */
  readonly mostTogether?: number;
  readonly cuttable?: boolean;
  /** Told of each thing that takes a while. */
  readonly progress?: (what: string) => void;
}

export { repository };

/** N countries on loopback with the embedded column: what the demo and the scenarios run on. */
export class World {
  private readonly closers: (() => Promise<void>)[] = [];
  readonly processes = new Map<string, WorldProcess>();
  /** Services of hospitals whose records are fetched, by country. */
  readonly hospitals = new Map<CountryCode, FolderFhirService>();
  private ordering: { close(): Promise<void> } | undefined;

  private constructor(
    readonly options: WorldOptions,
    private readonly column: EmbeddedColumn | RealColumn,
    readonly provisioned: ProvisionedWorld,
  ) {}

  static async start(options: WorldOptions): Promise<World> {
    const { progress = () => undefined } = options;
    const column = await columnOf(options, progress);
    try {
      progress('keys, certificates, databases and the channel');
      const provisioned = await provisionWorld(planOf(options, column));
      const world = new World(options, column, provisioned);
      await world.startSources();
      await world.startAll(options.roles === 'apart', progress);
      return world;
    } catch (error) {
      await column.close();
      throw error;
    }
  }

  /** The one server of an embedded world. */
  get cluster(): EmbeddedCluster {
    if (this.column.kind !== 'embedded') throw new Error('each country of this world has a cluster of its own');
    return this.column.cluster;
  }

  /** A country's Kafka broker, of an embedded world whose roles tell each other by one. */
  broker(code: CountryCode): KafkaBroker {
    const found = this.column.kind === 'embedded' ? this.column.brokers.get(code) : undefined;
    if (found === undefined) throw new Error(`no broker of ${code} in this embedded world`);
    return found;
  }

  /** The engines of a real world. */
  get engines(): RealColumn {
    if (this.column.kind !== 'real') throw new Error('this world runs on the embedded column');
    return this.column;
  }

  country(code: CountryCode): ProvisionedCountry {
    const found = this.provisioned.countries.get(code);
    if (found === undefined) throw new Error(`no country ${code} in this world`);
    return found;
  }

  /** The server in which a country's database lies, as its superuser reaches it. */
  database(code: CountryCode): DatabaseAddress {
    return (this.column as Column).database(code).admin;
  }

  /** The process of one role of one country; worlds apart only. */
  process(code: CountryCode, role: Role): WorldProcess {
    const found = this.processes.get(`${code} ${role}`);
    if (found === undefined) throw new Error(`no process of ${code} ${role} in this world`);
    return found;
  }

  /** The orderer goes away and comes back: nobody reaches the channel meanwhile. */
  readonly orderer = {
    stop: async (): Promise<void> => {
      const running = this.ordering;
      this.ordering = undefined;
      await running?.close();
    },
    start: async (): Promise<void> => {
      this.ordering = await this.startOrderer();
    },
  };

  async stop(): Promise<void> {
    for (const close of this.closers.splice(0).reverse()) await close();
    await this.column.close();
  }

  /** Hospitals that keep their records until they are asked for them. */
  private async startSources(): Promise<void> {
    for (const [code, { config }] of this.provisioned.countries) {
      for (const { fetch } of config.sources) {
        if (fetch === undefined) continue;
        const { hostname: host, port } = new URL(fetch.baseUrl);
        const service = await FolderFhirService.start(recordsFolder(code), { host, port: Number(port) });
        this.hospitals.set(code, service);
        this.closers.push(() => service.close());
      }
    }
  }

  private async startAll(apart: boolean, progress: (what: string) => void): Promise<void> {
    try {
      if (this.provisioned.orderer !== undefined) {
        progress('the orderer of the embedded ledger');
        await this.orderer.start();
        this.closers.push(() => this.orderer.stop());
      }
      if (apart) await this.spawnAll(progress);
      else await this.startHere(progress);
    } catch (error) {
      for (const close of this.closers.splice(0).reverse()) await close();
      throw error;
    }
  }

  private async startHere(progress: (what: string) => void): Promise<void> {
    const sink = this.lineSink();
    for (const [code, { config, configFile }] of this.provisioned.countries) {
      progress(`country ${code}`);
      const node = await startNode(config, undefined, sink, configFile);
      this.closers.push(() => node.close());
    }
  }

  private async spawnAll(progress: (what: string) => void): Promise<void> {
    const sink = this.options.sink ?? ((text: string) => void process.stderr.write(text));
    for (const [code, { configFile }] of this.provisioned.countries) {
      progress(`country ${code}, a process a role`);
      const started = [...roles]
        .reverse()
        .map((role) => new WorldProcess(`${code} ${role}`, [join(repository, `apps/${role}/dist/main.js`), '--config', configFile], sink));
      await Promise.all(started.map((one) => this.launch(one)));
    }
  }

  private lineSink(): LogSink {
    return this.options.sink ?? ((line: string) => void process.stderr.write(`${line}\n`));
  }

  private async startOrderer(): Promise<{ close(): Promise<void> }> {
    if (this.provisioned.orderer === undefined) throw new Error('a Fabric channel has orderers of its own: world.engines.fabric');
    const { config, configFile } = this.provisioned.orderer;
    if (this.options.roles !== 'apart') return startOrderer(config, this.lineSink());
    const sink = this.options.sink ?? ((text: string) => void process.stderr.write(text));
    const cli = join(repository, 'apps/cli/dist/main.js');
    const running = this.processes.get('orderer') ?? new WorldProcess('orderer', [cli, 'node', '--orderer', '--config', configFile], sink);
    this.processes.set('orderer', running);
    await running.start();
    return { close: () => running.stop() };
  }

  private async launch(one: WorldProcess): Promise<void> {
    this.processes.set(one.name, one);
    await one.start();
    this.closers.push(() => one.stop());
  }
}

/** What a world is provisioned with, where its options leave it open. */
function planOf(options: WorldOptions, column: Column): WorldPlan {
  const { folder, telemetry, takeOverAfterMs, clockWindowSeconds } = options;
  return {
    root: folder,
    countriesFolder: options.countriesFolder ?? join(repository, 'libs/countries'),
    countries: countriesOf(options),
    apart: options.roles === 'apart',
    logLevel: options.logLevel ?? 'error',
    checkpoints: options.checkpoints ?? false,
    ...(options.eventsByKafka === undefined ? {} : { eventsByKafka: options.eventsByKafka }),
    ...(telemetry === undefined ? {} : { telemetry }),
    ...(takeOverAfterMs === undefined ? {} : { takeOverAfterMs }),
    ...(clockWindowSeconds === undefined ? {} : { clockWindowSeconds }),
    column,
  };
}

const countriesOf = ({ countries }: WorldOptions): readonly CountryCode[] => countries ?? ['EE', 'PT', 'BE', 'DE'];

async function columnOf(options: WorldOptions, progress: (what: string) => void): Promise<EmbeddedColumn | RealColumn> {
  const { folder, reachableFolder, fsync = true } = options;
  const common = { folder, fsync, progress, ...(reachableFolder === undefined ? {} : { reachableFolder }) };
  if (options.column !== 'real')
    return EmbeddedColumn.start({ ...common, ...(options.eventsByKafka === true ? { eventsByKafka: countriesOf(options) } : {}) });
  const { headEveryMs, mostTogether, cuttable, raft = false } = options;
  const more = {
    ...(headEveryMs === undefined ? {} : { headEveryMs }),
    ...(mostTogether === undefined ? {} : { mostTogether }),
    ...(cuttable === undefined ? {} : { cuttable }),
  };
  return RealColumn.start({ ...common, countries: countriesOf(options), endsWithUs: !(await isKept(folder)), raft, ...more });
}

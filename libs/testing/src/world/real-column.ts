import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { PortolanError, type CountryCode, type KeyRecord, type NodeConfig } from '@portolan/contracts';
import type { OwnKey } from '@portolan/domain';
import type { FabricRegistryClient } from '@portolan/fabric-channel';
import { CountryFolders, storeAdmission, type CountryMaterial } from '@portolan/keys';
import { foundingFn } from '@portolan/ledger-rules';
import { EmbeddedCluster, type DatabaseAddress } from '@portolan/postgres';
import { stableUuid } from '@portolan/domain';
import { hexOf } from '@portolan/verify';
import { sha256 } from '@portolan/keys';
import { fabricEngine, FabricStack, type FabricEngine, type FabricOrganisation } from '../stack/fabric/index.js';
import { kafkaEngine, type KafkaEngine } from '../stack/kafka/engine.js';
import type { KafkaBroker } from '../stack/kafka/kafka-broker.js';
import type { BrokerPorts } from '../stack/kafka/settings.js';
import type { Column, ColumnDoors, Foundation, WorldDatabase } from './column.js';
import { countryBroker } from './country-broker.js';
import { engineFolders } from './engine-folders.js';
import { policyHash } from './found-channel.js';
import { CHANNEL, HOST, REGULATOR } from './provision-world.js';
import { CuttableLine } from '../stack/cuttable-line.js';
import { registryClientOf } from './registry-client.js';
import { repository } from './repository.js';

export interface RealColumnOptions {
  readonly folder: string;
  /** A channel needs four orderers, the regulator's among them: the first three found it, and whoever comes after them joins it as it runs. */
  readonly countries: readonly CountryCode[];
  readonly fsync: boolean;
  /** Where PostgreSQL may put its data when `folder` cannot be reached by its user. */
  readonly reachableFolder?: string;
  /** False: the engines live on when this process ends, for a later start to take up. */
  readonly endsWithUs: boolean;
  /** How often a country anchors the head of its log, where something is new. */
  readonly headEveryMs?: number;
  /** Most steps and permits of one transaction. */
  readonly mostTogether?: number;
  /** The channel's orderers agree by Raft, and nodes reach it by `fabric-network`. All countries found it: joins are for BFT alone. */
  readonly raft?: boolean;
  /** Partners reach each country's inbox over a line that a test can cut. */
  readonly cuttable?: boolean;
  readonly progress: (what: string) => void;
}

interface Engines {
  readonly kafka: KafkaEngine;
  readonly fabric: FabricEngine;
}

/** What one engine lacks on this machine; the words say how to get it. */
export class EngineAbsent extends Error {
  override readonly name = 'EngineAbsent';
}

/**
 * The engines that authorities run, without containers, on loopback: for each country its own PostgreSQL cluster, its own Kafka broker under
 * mutual TLS, its own Fabric peer, orderer and chaincode service; one more orderer of the regulator's.
 */
export class RealColumn implements Column {
  readonly kind = 'real';
  private readonly brokers = new Map<CountryCode, BrokerPorts>();
  private readonly kafkas = new Map<CountryCode, KafkaBroker>();
  private readonly lines = new Map<CountryCode, CuttableLine>();
  private readonly closers: (() => Promise<void>)[] = [];
  private stack: FabricStack | undefined;

  private constructor(
    private readonly options: RealColumnOptions,
    private readonly engines: Engines,
    private readonly clusters: ReadonlyMap<string, { readonly cluster: EmbeddedCluster; readonly admin: DatabaseAddress }>,
  ) {}

  /** Throws `EngineAbsent` where the machine lacks what an engine is made with. */
  static async start(options: RealColumnOptions): Promise<RealColumn> {
    const { folder, countries, progress, reachableFolder, fsync } = options;
    await mkdir(folder, { recursive: true });
    const engines = await enginesOf(progress);
    const clusters = new Map<string, { cluster: EmbeddedCluster; admin: DatabaseAddress }>();
    for (const country of countries) {
      progress(`PostgreSQL of ${country}`);
      const cc = country.toLowerCase();
      const cluster = new EmbeddedCluster({
        dataFolder: engineFolders(folder).cluster(country),
        fsync,
        maxConnections: 60,
        ...(reachableFolder === undefined ? {} : { reachableFolder: join(reachableFolder, cc) }),
      });
      clusters.set(country, { cluster, admin: await cluster.start() });
    }
    return new RealColumn(options, engines, clusters);
  }

  get fabric(): FabricStack {
    if (this.stack === undefined) throw new Error('the channel is not founded yet');
    return this.stack;
  }

  /** The line to a country's inbox, of a column with `cuttable` lines. */
  lineTo(country: CountryCode): CuttableLine {
    return of(this.lines, country);
  }

  /** A country's broker, for tests that end it. */
  broker(country: CountryCode): KafkaBroker {
    return of(this.kafkas, country);
  }

  /** A country's PostgreSQL, for tests that end it. */
  cluster(country: CountryCode): EmbeddedCluster {
    return of(this.clusters, country).cluster;
  }

  database(owner: string): WorldDatabase {
    const { admin, cluster } = of(this.clusters, owner);
    return { admin, passwordOf: (user) => cluster.passwordOf(user) };
  }

  async open(foundation: Foundation): Promise<ColumnDoors> {
    const { countries, progress } = this.options;
    for (const country of countries) {
      progress(`Kafka broker of ${country}`);
      await this.startBroker(country);
    }
    progress('Fabric channel');
    this.stack = await this.startFabric();
    const access = new Map<CountryCode, NodeConfig['ledger']>();
    for (const material of foundation.materials) {
      progress(`registry: ${material.country}`);
      access.set(material.country, await this.admit(material, foundation));
    }
    return {
      ledgerOf: (country) => of(access, country),
      inboxOf: (country) => ({ kind: 'kafka', brokers: [{ host: HOST, port: of(this.brokers, country).country }] }),
      eventsOf: (country) => ({ kind: 'kafka', brokers: [{ host: HOST, port: of(this.brokers, country).country }] }),
      wayTo: (country) => ({
        kind: 'kafka',
        brokers: [{ host: HOST, port: this.lines.get(country)?.port ?? of(this.brokers, country).partners }],
      }),
    };
  }

  async close(): Promise<void> {
    const { endsWithUs } = this.options;
    for (const close of this.closers.splice(0).reverse()) if (endsWithUs) await close();
    for (const { cluster } of this.clusters.values()) await (endsWithUs ? cluster.stop() : cluster.leave());
  }

  private async startBroker(country: CountryCode): Promise<void> {
    const { folder, endsWithUs } = this.options;
    const line = this.options.cuttable === true ? await CuttableLine.open() : undefined;
    const advertised = line === undefined ? {} : { advertised: line.port };
    const broker = await countryBroker(folder, country, { engine: this.engines.kafka, endsWithUs, ...advertised });
    const ports = await broker.start();
    if (line !== undefined) this.lay(country, line, ports);
    this.brokers.set(country, ports);
    this.kafkas.set(country, broker);
    this.closers.push(() => broker.stop());
  }

  private lay(country: CountryCode, line: CuttableLine, { partners }: BrokerPorts): void {
    line.leadTo(partners);
    this.lines.set(country, line);
    this.closers.push(() => line.close());
  }

  private async startFabric(): Promise<FabricStack> {
    const { folder, countries, endsWithUs, progress, raft = false } = this.options;
    const { fabric } = engineFolders(folder);
    const asCountry = (org: CountryCode): FabricOrganisation => ({ org, kind: 'country' });
    const asFounded = (await FabricStack.find(fabric))?.founders;
    const stack = await FabricStack.start({
      folder: fabric,
      engine: this.engines.fabric,
      channel: CHANNEL,
      consensus: raft ? 'raft' : 'bft',
      organisations: asFounded ?? [
        ...countries.slice(0, raft ? countries.length : 3).map(asCountry),
        { org: REGULATOR, kind: 'regulator' },
      ],
      chaincode: {
        name: 'portolan',
        version: '1',
        others: 1,
        command: [process.execPath, join(repository, 'apps/contract/dist/main.js')],
      },
      endsWithUs,
      say: progress,
    });
    this.closers.push(() => stack.stop());
    for (const org of countries.filter((one) => !stack.organisations.some((known) => known.org === one))) {
      progress(`${org} joins the channel`);
      await stack.join(asCountry(org), progress);
    }
    return stack;
  }

  /** Certificates of the channel for the country's own keys, and its first acts in the registry, as far as they are not there. */
  private async admit(material: CountryMaterial, { plan }: Foundation): Promise<NodeConfig['ledger']> {
    const { country, notary } = material;
    const folders = new CountryFolders(join(plan.root, country.toLowerCase()));
    const { peer, tlsAuthorityPem } = await this.fabric.access(country);
    if (peer === undefined) throw new Error(`${country} has no peer`);
    const { kid, publicJwk } = notary.ledger;
    const certificatePem = await this.fabric.certify(country, 'notary', publicJwk);
    await storeAdmission(folders.fabric, { kid, certificatePem, authorityPem: tlsAuthorityPem });
    const registry = await registryClientOf(this.fabric, { org: country, folders });
    try {
      for (const [fn, args] of await foundingActs(material, plan.countriesFolder)) await register(registry, country, fn, args);
    } finally {
      registry.close();
    }
    const [host = HOST, port = '0'] = peer.split(':');
    // The address is a number: TLS names the host that the peer's certificate has beside it.
    return {
      kind: 'fabric',
      channel: CHANNEL,
      ...(this.options.raft === true ? { client: 'fabric-network' } : {}),
      peer: { host, port: Number(port) },
      peerName: 'localhost',
      headEveryMs: this.options.headEveryMs ?? 500,
      ...(this.options.mostTogether === undefined ? {} : { mostTogether: this.options.mostTogether }),
    };
  }
}

async function enginesOf(progress: (what: string) => void): Promise<Engines> {
  const kafka = await kafkaEngine(progress);
  if ('absent' in kafka) throw new EngineAbsent(kafka.absent);
  const fabric = await fabricEngine(progress);
  if ('absent' in fabric) throw new EngineAbsent(fabric.absent);
  return { kafka, fabric };
}

/** The acts by which a country enters the registry of a channel that lists its organisation. */
async function foundingActs(material: CountryMaterial, countriesFolder: string): Promise<readonly (readonly [string, object])[]> {
  const { country: org, exchange, notary, governance } = material;
  const { org: _org, v: _v, ...own } = keyOf(org, governance, 'governance');
  const keys = [
    keyOf(org, exchange.sign, 'sign'),
    keyOf(org, exchange.seal, 'seal'),
    keyOf(org, exchange.tls, 'tls'),
    keyOf(org, notary.ledger, 'ledger'),
    keyOf(org, notary.tls, 'tls'),
  ];
  return [
    [foundingFn, { v: 1, organisation: { org, kind: 'country', keys: [own] } }],
    ...keys.map((key) => ['put-key', key] as const),
    ['put-policy', { v: 1, org, hash: await policyHash(countriesFolder, org) }],
  ];
}

type Use = Exclude<KeyRecord['use'], 'ca'>;
const keyOf = (org: CountryCode, { kid, publicJwk: jwk, notBefore, notAfter }: OwnKey, use: Use): Extract<KeyRecord, { jwk: unknown }> => ({
  v: 1,
  org,
  kid,
  use,
  jwk,
  notBefore,
  notAfter,
});

/** The same act has the same id each time; one that stands already is done. Peers that have not seen the act before yet are waited for. */
async function register(registry: FabricRegistryClient, org: CountryCode, fn: string, args: object): Promise<void> {
  const id = stableUuid((bytes) => hexOf(sha256(bytes)), [org, fn, JSON.stringify(args)]);
  for (let attempt = 0; ; attempt += 1) {
    try {
      await registry.act({ id, fn, args });
      return;
    } catch (error) {
      if (error instanceof PortolanError && error.code === 'ledger.already-written') return;
      if (attempt >= 5 || !(error instanceof PortolanError) || !error.retriable) throw error;
      await pause(500);
    }
  }
}

function of<T>(map: ReadonlyMap<string, T>, country: CountryCode): T {
  const found = map.get(country);
  if (found === undefined) throw new Error(`no ${country} in this world`);
  return found;
}

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { CountryCode, NodeConfig, OrdererConfig } from '@portolan/contracts';
import { jwksOf, type JwtKey } from '@portolan/jose';
import {
  admitPartner,
  CountryFolders,
  provisionCountry,
  storeAdmission,
  SystemClock,
  SystemRandom,
  type CountryMaterial,
} from '@portolan/keys';
import { migrateCountry, provisionDatabase } from '@portolan/postgres';
import { X509Authorities } from '@portolan/x509';
import type { Column, ColumnDoors, Tools } from './column.js';
import { accountsOf, demoPersons } from './demo-people.js';
import { findJson, keep, keepJson } from './files.js';
import { providerKey, systemKey } from './hospital-keys.js';
import { freePorts } from './ports.js';
import { repository } from './repository.js';

export const REGULATOR = 'REG';
export const CHANNEL = 'portolan-demo';
export const HOST = '127.0.0.1';

export interface WorldPlan {
  /** Where spans go; nowhere unless a test listens. */
  readonly telemetry?: NodeConfig['telemetry'];
  readonly root: string;
  readonly countriesFolder: string;
  readonly countries: readonly CountryCode[];
  readonly apart: boolean;
  /** Roles apart tell each other by the country's Kafka broker: where absent, they do where every country has one. */
  readonly eventsByKafka?: boolean;
  readonly logLevel: NodeConfig['logging']['level'];
  /** Tests of crashes: the roles of a country read its checkpoint file. */
  readonly checkpoints: boolean;
  readonly takeOverAfterMs?: number;
  /** The channel's clock window; that of the rules where absent. */
  readonly clockWindowSeconds?: number;
  readonly column: Column;
}

/** A provisioned country: its configuration, and what the outside needs to speak with it. */
export interface ProvisionedCountry {
  readonly config: NodeConfig;
  readonly configFile: string;
  /** The hospital's system: it sends, asks and states who acts. */
  readonly hospital: { readonly clientId: string; readonly key: JwtKey };
}

export interface ProvisionedWorld {
  /** Where keys, configuration and what scenarios keep lie. */
  readonly folder: string;
  readonly countries: ReadonlyMap<CountryCode, ProvisionedCountry>;
  /** Of the embedded ledger alone. */
  readonly orderer?: ProvisionedOrderer;
}

export interface ProvisionedOrderer {
  readonly config: OrdererConfig;
  readonly configFile: string;
}

interface Ports {
  readonly orderer: number;
  readonly countries: Readonly<Record<CountryCode, Readonly<Record<PortName, number>>>>;
}

const portNames = ['http', 'mllp', 'inbox', 'openid', 'edge', 'exchange', 'notary', 'records'] as const;
type PortName = (typeof portNames)[number];

/**
 * Everything that countries need before they can start: keys, certificates issued to each other, databases, a founded channel,
 * configuration files. What is there stays, so that a second start finds the same world.
 */
export async function provisionWorld(plan: WorldPlan): Promise<ProvisionedWorld> {
  const tools: Tools = { clock: new SystemClock(), random: new SystemRandom(), authorities: new X509Authorities() };
  const folderOf = (name: string): string => join(plan.root, name.toLowerCase());
  const materials = await Promise.all(plan.countries.map((country) => provisionCountry(country, { folder: folderOf(country), ...tools })));
  await admitAll(plan, materials, tools);
  await provisionDatabases(plan);
  const ports = await settledPorts(plan);
  const inboxOf = (country: CountryCode): number => ports.countries[country]?.inbox ?? 0;
  const doors = await plan.column.open({ plan, materials, ports: { orderer: ports.orderer, inboxOf }, ...tools });
  const countries = new Map<CountryCode, ProvisionedCountry>();
  for (const country of plan.countries) countries.set(country, await writeCountry(plan, country, ports, doors));
  return { folder: plan.root, countries, ...(doors.orderer === undefined ? {} : { orderer: doors.orderer }) };
}

/** A world that another process provisioned and runs: read from its files. */
export async function readWorld(folder: string): Promise<ProvisionedWorld> {
  const countries = new Map<CountryCode, ProvisionedCountry>();
  for (const country of Object.keys((await findJson<Ports>(join(folder, 'ports.json')))?.countries ?? {})) {
    const home = join(folder, country.toLowerCase());
    const configFile = join(home, 'node.json');
    const config = await findJson<NodeConfig>(configFile);
    // One that is joining has its ports before it has its configuration.
    if (config === undefined) continue;
    const clientId = hospitalOf(country);
    countries.set(country, { config, configFile, hospital: { clientId, key: await systemKey(join(home, 'demo'), clientId) } });
  }
  const configFile = join(folder, REGULATOR.toLowerCase(), 'orderer.json');
  const config = await findJson<OrdererConfig>(configFile);
  if (countries.size === 0) throw new Error(`no world in ${folder}`);
  return { folder, countries, ...(config === undefined ? {} : { orderer: { config, configFile } }) };
}

const hospitalOf = (country: CountryCode): string => `hospital-${country.toLowerCase()}`;

/** Each country lets each other one in by the TLS key it registers. */
async function admitAll(plan: WorldPlan, materials: readonly CountryMaterial[], { clock, authorities }: Tools): Promise<void> {
  const foldersOf = (country: CountryCode): CountryFolders => new CountryFolders(join(plan.root, country.toLowerCase()));
  for (const guest of materials) {
    for (const host of materials.filter(({ country }) => country !== guest.country)) {
      const { kid, publicJwk } = guest.exchange.tls;
      const authorityFolder = foldersOf(host.country).authority;
      const admission = await admitPartner({ org: guest.country, kid, publicJwk }, { authorityFolder, clock, authorities });
      await storeAdmission(foldersOf(guest.country).partner(host.country), admission);
    }
  }
}

async function provisionDatabases(plan: WorldPlan): Promise<void> {
  for (const country of plan.countries) {
    const { admin, passwordOf } = plan.column.database(country);
    const database = await provisionDatabase(admin, country, passwordOf);
    await migrateCountry(database);
    for (const role of ['edge', 'exchange', 'notary'] as const)
      await keep(join(plan.root, country.toLowerCase(), role, 'database.secret'), database[role].password);
  }
}

async function settledPorts(plan: WorldPlan): Promise<Ports> {
  const file = join(plan.root, 'ports.json');
  const known = await findJson<Ports>(file);
  const wanted = plan.countries.flatMap((country) => portNames.map((name) => ({ country, name, port: known?.countries[country]?.[name] })));
  const missing = wanted.filter(({ port }) => port === undefined);
  if (known !== undefined && missing.length === 0) return known;
  const free = await freePorts(1 + missing.length, 'nodes');
  const orderer = known?.orderer ?? free[0] ?? 0;
  const fresh = new Map(missing.map(({ country, name }, i) => [`${country} ${name}`, free[i + 1] ?? 0]));
  const countries = Object.fromEntries(
    plan.countries.map((country) => [
      country,
      Object.fromEntries(portNames.map((name) => [name, known?.countries[country]?.[name] ?? fresh.get(`${country} ${name}`) ?? 0])),
    ]),
  );
  const ports = { orderer, countries } as Ports;
  await keepJson(file, ports);
  return ports;
}

async function writeCountry(plan: WorldPlan, country: CountryCode, ports: Ports, doors: ColumnDoors): Promise<ProvisionedCountry> {
  const cc = country.toLowerCase();
  const home = join(plan.root, cc);
  const mine = ports.countries[country];
  if (mine === undefined) throw new Error(`no ports were kept for ${country}: remove ${plan.root} and start anew`);
  const clientId = hospitalOf(country);
  const key = await systemKey(join(home, 'demo'), clientId);
  const issuer = `http://${HOST}:${mine.openid}`;
  const audience = `urn:portolan:node:${cc}`;
  const organisation = { system: `urn:portolan:demo:${cc}:organisation`, value: 'hospital-1', name: `Demo hospital ${country}` };
  const providerSystem = `urn:portolan:demo:${cc}:professional`;
  const openidFile = join(home, 'demo', 'openid.json');
  await keepJson(openidFile, {
    demo: true,
    country,
    audience,
    signingKey: await providerKey(join(home, 'demo')),
    accounts: accountsOf(country, demoPersons),
    apps: [{ clientId: 'portolan-cli', name: 'portolan', redirectUris: [`http://${HOST}/portolan/callback`], scopes: ['portal'] }],
    systems: [{ clientId, name: organisation.name, jwks: jwksOf([key]), scopes: ['system/*.read', 'system/*.write'] }],
  });
  const partners = plan.countries.filter((other) => other !== country).map((other) => ({ country: other, inbox: doors.wayTo(other) }));
  const { admin } = plan.column.database(country);
  const events = (plan.eventsByKafka ?? plan.column.kind === 'real') ? doors.eventsOf?.(country) : undefined;
  const config: NodeConfig = {
    v: 1,
    mode: 'demo',
    country,
    home,
    countries: plan.countriesFolder,
    database: { host: admin.host, port: admin.port, name: `portolan_${cc}`, poolSize: 6 },
    ledger: doors.ledgerOf(country),
    inbox: doors.inboxOf(country),
    partners,
    transport: plan.apart
      ? {
          kind: 'tcp',
          host: HOST,
          edge: mine.edge,
          exchange: mine.exchange,
          notary: mine.notary,
          ...(events === undefined ? {} : { events }),
        }
      : { kind: 'together' },
    http: { host: HOST, port: mine.http },
    mllp: { host: HOST, port: mine.mllp },
    openid: { issuer, audience, jwksUri: `${issuer}/jwks`, providerSystem },
    demoOpenid: { door: { host: HOST, port: mine.openid }, file: openidFile },
    clients: [{ clientId, name: organisation.name, organisation, jwks: { keys: [key.publicJwk] }, providerSystem }],
    sources: [...demoSources(country, organisation, clientId), ...fetchedSources(country, organisation, mine.records)],
    custodian: { name: `Demo health record of ${country}`, identifier: { system: organisation.system, value: 'custodian' } },
    logging: { level: plan.logLevel },
    telemetry: plan.telemetry ?? { kind: 'none' },
    ...(plan.takeOverAfterMs === undefined ? {} : { takeOverAfterMs: plan.takeOverAfterMs }),
    ...(plan.checkpoints ? { checkpointFile: join(home, 'checkpoint') } : {}),
  };
  const configFile = join(home, 'node.json');
  await keepJson(configFile, config);
  return { config, configFile, hospital: { clientId, key } };
}

/** The systems that send in the demonstration, as their messages name them. */
function demoSources(
  country: CountryCode,
  organisation: NodeConfig['sources'][number]['organisation'],
  clientId: string,
): NodeConfig['sources'] {
  const overMllp: Readonly<Record<string, readonly string[]>> = {
    EE: ['NAIDIS-HIS|EE-NAIDISHAIGLA', 'NAIDIS-LIS|EE-NAIDISLABOR'],
    PT: ['SIEX|PT-HOSPITAL-EXEMPLO', 'SIL|PT-LAB-EXEMPLO'],
  };
  return [...(overMllp[country] ?? []), clientId].map((name) => ({ name, organisation }));
}

/** Hospitals whose records stay with them until they are asked for: those of which a folder of the demonstration holds any. */
export const recordsFolder = (country: CountryCode): string => join(repository, 'libs/testing/demo/fhir-service', country.toLowerCase());

function fetchedSources(
  country: CountryCode,
  organisation: NodeConfig['sources'][number]['organisation'],
  port: number,
): NodeConfig['sources'] {
  const fetch = { baseUrl: `http://${HOST}:${port}/fhir` };
  return existsSync(recordsFolder(country)) ? [{ name: `records-${country.toLowerCase()}`, organisation, fetch }] : [];
}

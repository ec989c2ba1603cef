import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PartnerLink } from '@portolan/domain';
import { FileKeyVault, CountryFolders, SystemClock } from '@portolan/keys';
import { partnerLinkOf } from '@portolan/nest';
import { adminQuery, type DatabaseAddress } from '@portolan/postgres';
import { BodiesAtRest, type DataKeyRow } from '../checker/bodies-at-rest.js';
import { eventually } from '../story/wait.js';
import type { SharedWorld } from './shared-world.js';

/** The superuser's address of one database of this world: what a burglar with the whole disk would read. */
async function addressOf(world: SharedWorld, database: string): Promise<DatabaseAddress> {
  const known = [...world.provisioned.countries.values()].find(({ config }) => config.database.name === database);
  const [any] = world.provisioned.countries.values();
  if (any === undefined) throw new Error('a world without a country');
  const { host, port } = (known ?? any).config.database;
  // One cluster for all, or one a country.
  const cluster = world.provisioned.orderer === undefined ? `postgres/${(known ?? any).config.country.toLowerCase()}` : 'postgres';
  const password = await readFile(join(world.provisioned.folder, cluster, 'cluster/portolan.secret'), 'utf8');
  return { host, port, database, user: 'portolan', password };
}

/** Rows of a country's database, of whatever schema, as they lie there. */
export async function rows<Row>(
  world: SharedWorld,
  country: string,
  sql: string,
  parameters: readonly unknown[] = [],
): Promise<readonly Row[]> {
  return adminQuery<Row>(await addressOf(world, world.at(country).config.database.name), sql, parameters);
}

export async function ordererRows<Row>(world: SharedWorld, sql: string): Promise<readonly Row[]> {
  const { orderer } = world.provisioned;
  return orderer === undefined ? [] : adminQuery<Row>(await addressOf(world, orderer.config.database.name), sql);
}

export const foldersOf = (world: SharedWorld, country: string): CountryFolders => new CountryFolders(world.at(country).config.home);

/** An event as it stands in a country's trail. */
export interface AuditBody {
  readonly outcome: string;
  readonly purposeOfEvent?: readonly { readonly coding: readonly { readonly code: string }[] }[];
  readonly agent: readonly { readonly name?: string; readonly requestor: boolean; readonly who: { readonly display: string } }[];
  readonly entity: readonly object[];
}

/** The newest events of a type, of one transfer where it is named, opened with the role's keys. */
export async function auditBodies(
  world: SharedWorld,
  country: string,
  role: 'edge' | 'exchange',
  type: string,
  transfer?: string,
): Promise<readonly AuditBody[]> {
  const keys = await rows<DataKeyRow>(world, country, `SELECT id, wrapped FROM ${role}.data_key`);
  const disk = await BodiesAtRest.open(foldersOf(world, country).master(role), keys);
  const sql = `SELECT id, key_id, body FROM ${role}.audit_event WHERE type = $1 AND ($2::uuid IS NULL OR transfer_id = $2::uuid) ORDER BY seq DESC LIMIT 5`;
  const found = await rows<{ id: string; key_id: string; body: Buffer }>(world, country, sql, [type, transfer ?? null]);
  return found.flatMap(({ id, key_id: key, body }) => {
    const opened = disk.read(key, body, `${role}.audit_event:${id}`);
    return typeof opened === 'string' ? [] : [JSON.parse(opened.text) as AuditBody];
  });
}

/** The keys of a country's exchange, as a thief of its folder has them. */
export const stolenVault = (world: SharedWorld, country: string, role: 'exchange' | 'notary' = 'exchange'): FileKeyVault =>
  new FileKeyVault({ folder: foldersOf(world, country).keys(role), clock: new SystemClock() });

/** Writes into partners' inboxes with a country's real certificate. */
export function stolenLink(world: SharedWorld, country: string): PartnerLink {
  const { config } = world.at(country);
  return partnerLinkOf(
    { config, partners: { all: config.partners }, folders: foldersOf(world, country), logger: silent },
    stolenVault(world, country),
  );
}

const silent = { failure: () => undefined, info: () => undefined };

/** Text of every row of every table of one schema, bytes spelt out as text too: what a search over the disk would find. */
export async function everythingIn(
  ask: <Row>(sql: string) => Promise<readonly Row[]>,
  schema: string,
): Promise<readonly { table: string; text: string }[]> {
  const tables = await ask<{ name: string }>(`SELECT table_name AS name FROM information_schema.tables WHERE table_schema = '${schema}'`);
  const found: { table: string; text: string }[] = [];
  for (const { name } of tables) {
    for (const { text } of await ask<{ text: string }>(`SELECT t::text AS text FROM ${schema}.${name} t`)) {
      found.push({ table: `${schema}.${name}`, text: readable(text) });
    }
  }
  return found;
}

/** A row's text with its bytes, and the parts of any JWS in it, spelt out. */
function readable(text: string): string {
  const bytes = [...text.matchAll(/\\x([0-9a-f]+)/g)].map(([, hex]) => Buffer.from(hex ?? '', 'hex').toString('utf8'));
  const all = [text, ...bytes].join('\n');
  const signed = [...all.matchAll(/[A-Za-z0-9_-]{16,}/g)].map(([part]) => Buffer.from(part, 'base64url').toString('utf8'));
  return [all, ...signed].join('\n');
}

/** Waits until a statement marked so sleeps in the country's database: then its locks are held. */
export async function backend(world: SharedWorld, country: string, mark: string): Promise<void> {
  await eventually('the lock is held', async () => {
    const sleeping = `SELECT pid FROM pg_stat_activity WHERE query LIKE $1 AND wait_event = 'PgSleep'`;
    return (await rows(world, country, sleeping, [`DO%${mark}%`])).length > 0;
  });
}

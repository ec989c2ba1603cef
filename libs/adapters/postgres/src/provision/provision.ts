import { PortolanError, type CountryCode } from '@portolan/contracts';
import { Client } from 'pg';
import { clientOptions, type DatabaseAddress } from '../connect/address.js';
import { storeFailure } from '../connect/failure.js';
import type { Schema } from '../connect/role-data-source.js';
import { databaseUser } from './grants.js';

/** Gives the password of a database user (`ee_edge`, `ee_owner` …). */
export type PasswordOf = (user: string) => string;

/** Where each part of a node finds its database: the owner migrates, every role has a user of its own. */
export type Provisioned<Part extends Schema> = Readonly<Record<Part | 'owner', DatabaseAddress>>;

export type CountryDatabase = Provisioned<'edge' | 'exchange' | 'notary'>;
export type OrdererDatabase = Provisioned<'orderer'>;

/** One at a time over all who provision on one server. */
const PROVISION_LOCK = 7_077_003;

/**
 * Makes what one country needs on a PostgreSQL ≥ 15, or puts it right: database `portolan_<cc>`, schemas, one login role a schema and
 * one that owns and migrates. `admin` may create databases and roles; it need not be a superuser. Tables come with `migrateCountry`.
 */
export async function provisionDatabase(admin: DatabaseAddress, country: CountryCode, passwordOf: PasswordOf): Promise<CountryDatabase> {
  return provision(admin, country.toLowerCase(), ['edge', 'exchange', 'notary'], passwordOf);
}

/** The embedded ledger's orderer: database `portolan_<name>` with one schema and one login role. */
export async function provisionOrdererDatabase(admin: DatabaseAddress, name: string, passwordOf: PasswordOf): Promise<OrdererDatabase> {
  return provision(admin, name, ['orderer'], passwordOf);
}

async function provision<Part extends Schema>(
  admin: DatabaseAddress,
  prefix: string,
  schemas: readonly Part[],
  passwordOf: PasswordOf,
): Promise<Provisioned<Part>> {
  if (!/^[a-z][a-z0-9_]{1,30}$/.test(prefix))
    throw new PortolanError('store.rejected', 'database prefix', 'lower-case letters, digits and _');
  const database = `portolan_${prefix}`;
  const users = (['owner', ...schemas] as const).map((part) => ({ part, name: databaseUser(prefix, part) }));
  await withClient(admin, async (client) => {
    await client.query('SELECT pg_advisory_lock($1)', [PROVISION_LOCK]);
    for (const { name } of users) await ensureLogin(client, name, passwordOf(name));
    await ensureDatabase(client, database, databaseUser(prefix, 'owner'));
    for (const { name } of users) await client.query(`GRANT CONNECT ON DATABASE ${database} TO ${name}`);
    await quietServerLog(client, database);
  });
  const address = (name: string): DatabaseAddress => ({ ...admin, database, user: name, password: passwordOf(name) });
  await withClient(address(databaseUser(prefix, 'owner')), async (client) => ensureSchemas(client, prefix, schemas));
  return Object.fromEntries(users.map(({ part, name }) => [part, address(name)])) as Provisioned<Part>;
}

async function withClient(address: DatabaseAddress, work: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({ ...clientOptions(address), application_name: 'portolan-provision' });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await work(client);
  } catch (failure) {
    throw storeFailure(failure, `provisioning of database ${address.database}`);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function ensureLogin(client: Client, name: string, password: string): Promise<void> {
  const { rowCount } = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [name]);
  if (rowCount === 0) await client.query(`CREATE ROLE ${name} LOGIN NOINHERIT`);
  await client.query(`ALTER ROLE ${name} PASSWORD ${client.escapeLiteral(password)}`);
}

async function ensureDatabase(client: Client, database: string, owner: string): Promise<void> {
  const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [database]);
  if (rowCount === 0) {
    // To give a database away one must be able to act as its owner; a superuser can anyway.
    const { rows } = await client.query<{ on: string }>("SELECT current_setting('is_superuser') AS on");
    if (rows[0]?.on === 'off') await client.query(`GRANT ${owner} TO CURRENT_USER`);
    await client.query(`CREATE DATABASE ${database} OWNER ${owner} ENCODING 'UTF8' TEMPLATE template0`);
  }
  await client.query(`REVOKE ALL ON DATABASE ${database} FROM PUBLIC`);
}

/** A failed statement and the key values in an error's detail stay out of the server's log. Superusers alone may set this; others ask theirs. */
async function quietServerLog(client: Client, database: string): Promise<void> {
  for (const setting of ["log_min_messages = 'log'", "log_min_error_statement = 'panic'", "log_error_verbosity = 'terse'"]) {
    await client.query(`ALTER DATABASE ${database} SET ${setting}`).catch((failure: unknown) => {
      if ((failure as { code?: unknown }).code !== '42501') throw failure;
    });
  }
}

async function ensureSchemas(client: Client, prefix: string, schemas: readonly Schema[]): Promise<void> {
  await client.query('REVOKE ALL ON SCHEMA public FROM PUBLIC');
  for (const schema of schemas) {
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
    await client.query(`GRANT USAGE ON SCHEMA ${schema} TO ${databaseUser(prefix, schema)}`);
  }
  // The record tables alone, see grants.
  if (schemas.includes('edge')) await client.query(`GRANT USAGE ON SCHEMA edge TO ${databaseUser(prefix, 'exchange')}`);
}

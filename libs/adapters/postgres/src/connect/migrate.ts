import { Client } from 'pg';
import { grantsOf } from '../provision/grants.js';
import { clientOptions, type DatabaseAddress } from './address.js';
import { storeFailure } from './failure.js';
import { roleDataSource, type SchemaModel } from './role-data-source.js';

/** One migration at a time over all copies of a node. */
const MIGRATION_LOCK = 7_077_002;

/** Runs the migrations of these schemas and sets their grants, as the database's owner (`ee_owner`, whose prefix its users share). */
export async function migrate(owner: DatabaseAddress, models: readonly SchemaModel[]): Promise<void> {
  const prefix = owner.user.replace(/_owner$/, '');
  const client = new Client({ ...clientOptions(owner), application_name: 'portolan-migrate' });
  try {
    await client.connect();
    await client.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    for (const model of models) await migrateSchema(owner, model);
    for (const { schema } of models) await setGrants(client, grantsOf(schema, prefix));
  } catch (failure) {
    throw storeFailure(failure, `migrations of database ${owner.database}`);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** At once or not at all: a role that works meanwhile must not find its rights gone for a moment. */
async function setGrants(client: Client, statements: readonly string[]): Promise<void> {
  await client.query('BEGIN');
  for (const statement of statements) await client.query(statement);
  await client.query('COMMIT');
}

async function migrateSchema(owner: DatabaseAddress, model: SchemaModel): Promise<void> {
  const source = roleDataSource({ address: owner, poolSize: 1, statementTimeoutMs: 600_000, applicationName: 'portolan-migrate' }, model);
  await source.initialize();
  try {
    await source.runMigrations();
  } finally {
    await source.destroy();
  }
}

import { Client } from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { clientOptions, type DatabaseAddress } from '../connect/address.js';
import { roleDataSource, type SchemaModel } from '../connect/role-data-source.js';
import { openRoleDatabase } from '../connect/role-database.js';
import { edgeModel } from '../edge/edge.model.js';
import { exchangeModel } from '../exchange/exchange.model.js';
import { notaryModel } from '../notary/notary.model.js';
import { AesDataKeys } from '../test-support/aes-data-keys.js';
import { testCluster, type TestCluster } from '../test-support/test-cluster.js';
import { grants, recordTables } from './grants.js';
import { migrateCountry } from './migrate-database.js';
import { provisionDatabase, type CountryDatabase } from './provision.js';

const DENIED = '42501';

/** The SQLSTATE that a statement ends with; '' where it succeeds. */
async function tried(address: DatabaseAddress, sql: string): Promise<string> {
  const client = new Client(clientOptions(address));
  try {
    await client.connect();
    await client.query(sql);
    return '';
  } catch (failure) {
    return (failure as { code: string }).code;
  } finally {
    await client.end();
  }
}

describe('a country database', () => {
  let test: TestCluster;
  let ee: CountryDatabase;
  let pt: CountryDatabase;

  beforeAll(async () => {
    test = await testCluster();
    [ee, pt] = await Promise.all([test.country('EE'), test.country('PT')]);
  });

  const schemas = ['edge', 'exchange', 'notary'] as const;

  it('has a grant for every table, and a table for every grant', async () => {
    const client = new Client(clientOptions(ee.owner));
    await client.connect();
    for (const schema of schemas) {
      const { rows } = await client.query<{ tablename: string }>('SELECT tablename FROM pg_tables WHERE schemaname = $1', [schema]);
      expect(rows.map(({ tablename }) => tablename).sort()).toEqual(Object.keys(grants[schema]).sort());
    }
    await client.end();
  });

  it('gives each role exactly its rights, table by table', async () => {
    const rights = ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER'];
    const client = new Client(clientOptions(ee.owner));
    await client.connect();
    for (const role of schemas) {
      for (const schema of schemas) {
        for (const [table, own] of Object.entries(grants[schema])) {
          const read = role === 'exchange' && schema === 'edge' && recordTables.includes(table) ? ['SELECT'] : [];
          const expected: readonly string[] = role === schema ? own : read;
          const { rows } = await client.query<{ held: string[] }>(
            'SELECT array(SELECT p FROM unnest($3::text[]) p WHERE has_table_privilege($1, $2, p)) AS held',
            [`ee_${role}`, `${schema}.${table}`, rights],
          );
          expect(rows[0]!.held, `${role} on ${schema}.${table}`).toEqual(rights.filter((right) => expected.includes(right)));
        }
      }
    }
    await client.end();
  });

  it.each([
    ['edge', 'SELECT FROM exchange.permit'],
    ['edge', 'SELECT FROM exchange.data_key'],
    ['edge', 'SELECT FROM notary.act'],
    ['edge', 'INSERT INTO exchange.inbox VALUES (gen_random_uuid(), now())'],
    ['exchange', 'SELECT FROM edge.message'],
    ['exchange', 'SELECT FROM edge.outbox'],
    ['exchange', 'SELECT FROM edge.view_resource'],
    ['exchange', 'SELECT FROM edge.audit_event'],
    ['exchange', 'SELECT FROM edge.search_value'],
    ['exchange', 'DELETE FROM edge.person'],
    ['exchange', 'UPDATE edge.data_key SET wrapped = NULL'],
    ['exchange', 'SELECT wrapped FROM edge.data_key FOR SHARE'],
    ['exchange', 'SELECT FROM notary.step'],
    ['notary', 'SELECT FROM edge.person'],
    ['notary', 'SELECT FROM exchange.transfer'],
    ['edge', 'CREATE TABLE edge.mine (x integer)'],
    ['edge', 'CREATE TABLE public.mine (x integer)'],
    ['edge', 'CREATE TEMPORARY TABLE mine (x integer)'],
    ['edge', 'CREATE SCHEMA mine'],
    ['edge', 'DROP TABLE edge.person'],
    ['edge', 'ALTER TABLE edge.audit_event DISABLE TRIGGER ALL'],
    ['edge', 'SET ROLE ee_owner'],
    ['edge', "ALTER ROLE ee_exchange PASSWORD 'x'"],
    ['exchange', "COPY edge.person TO PROGRAM 'true'"],
  ] as const)('refuses %s: %s', async (role, sql) => {
    expect(await tried(ee[role], sql)).toBe(DENIED);
  });

  it.each(schemas)('lets nobody change or remove an audit event of %s, its role and owner included', async (schema) => {
    for (const sql of [
      `UPDATE ${schema}.audit_event SET type = ''`,
      `DELETE FROM ${schema}.audit_event`,
      `TRUNCATE ${schema}.audit_event`,
    ]) {
      expect(await tried(ee[schema], sql), `${schema}: ${sql}`).toBe(DENIED);
      expect(await tried(ee.owner, sql), `owner: ${sql}`).toBe(DENIED);
    }
  });

  it('keeps countries apart', async () => {
    for (const role of ['owner', ...schemas] as const)
      expect(await tried({ ...pt[role], database: ee.owner.database }, 'SELECT 1')).toBe(DENIED);
  });

  it('lets the exchange read the record tables', async () => {
    for (const table of recordTables) expect(await tried(ee.exchange, `SELECT FROM edge.${table}`)).toBe('');
  });

  it('is provisioned and migrated again without harm, and a right given by hand is taken back', async () => {
    expect(await tried(ee.owner, 'GRANT UPDATE ON edge.audit_event TO ee_edge; GRANT SELECT ON edge.message TO ee_exchange')).toBe('');
    await provisionDatabase(test.admin, 'EE', (user) => test.cluster.passwordOf(user));
    await Promise.all([migrateCountry(ee), migrateCountry(ee)]);
    expect(await tried(ee.edge, "UPDATE edge.audit_event SET type = ''")).toBe(DENIED);
    expect(await tried(ee.exchange, 'SELECT FROM edge.message')).toBe(DENIED);
  });

  it('can be made by an administrator who is no superuser', async () => {
    const admin = { ...test.admin, user: 'plain_admin', password: 'plain' };
    expect(await tried(test.admin, "CREATE ROLE plain_admin LOGIN CREATEDB CREATEROLE PASSWORD 'plain'")).toBe('');
    for (let time = 0; time < 2; time += 1) {
      const made = await provisionDatabase(admin, 'ZZ', (user) => test.cluster.passwordOf(user));
      await migrateCountry(made);
      expect(await tried(made.notary, 'SELECT FROM notary.act')).toBe('');
    }
  });

  it.each([edgeModel, exchangeModel, notaryModel])('has the tables that the entities of $schema describe', async (model: SchemaModel) => {
    const source = roleDataSource({ address: ee.owner }, model);
    await source.initialize();
    const { upQueries } = await source.driver.createSchemaBuilder().log();
    await source.destroy();
    // Indexes and constraints beyond the entities are the migrations' own.
    const missing = upQueries.map(({ query }) => query).filter((query) => !/^DROP INDEX|DROP CONSTRAINT|ADD CONSTRAINT "UQ_/.test(query));
    expect(missing).toEqual([]);
  });

  it.each([edgeModel, exchangeModel, notaryModel])('undoes and redoes the migrations of $schema', async (model: SchemaModel) => {
    const de = await test.country('DE');
    const source = roleDataSource({ address: de.owner }, model);
    await source.initialize();
    for (const _ of model.migrations) await source.undoLastMigration();
    expect(await source.query('SELECT FROM pg_tables WHERE schemaname = $1 AND tablename <> $2', [model.schema, 'migration'])).toEqual([]);
    await source.destroy();
    await expect(openRoleDatabase({ address: de[model.schema as 'edge'] }, model, new AesDataKeys(), () => ({}))).rejects.toMatchObject({
      code: 'store.migrations-missing',
    });
    await migrateCountry(de);
  });
});

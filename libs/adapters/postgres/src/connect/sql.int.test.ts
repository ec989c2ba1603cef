import type { PoolClient } from 'pg';
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { exchangeModel } from '../exchange/exchange.model.js';
import { InboxEntity } from '../role/role.entities.js';
import { adminQuery } from '../test-support/admin-query.js';
import { uuid } from '../test-support/scratch.js';
import { testCluster } from '../test-support/test-cluster.js';
import type { DatabaseAddress } from './address.js';
import { openDataSource } from './role-database.js';
import type { Sql } from './sql.js';
import { Transactions } from './unit-of-work.js';
import { PostgresWakeups } from './wakeups.js';

const NOTE = 'INSERT INTO inbox (id, at) VALUES ($1, now())';
const KNOWN = 'SELECT count(*)::int AS count FROM inbox WHERE id = ANY ($1::uuid[])';

describe('statements that are put off', () => {
  let source: DataSource;
  let transactions: Transactions;
  let owner: DatabaseAddress;

  beforeAll(async () => {
    const country = await (await testCluster()).country('LU');
    const { exchange: address } = country;
    owner = country.owner;
    source = await openDataSource({ address }, exchangeModel);
    transactions = new Transactions(source, 'exchange', new PostgresWakeups(address, 'exchange', source));
  });
  afterAll(async () => source.destroy());

  const known = async (...ids: readonly string[]): Promise<number | undefined> =>
    transactions.alone(async (sql) => (await sql.first<{ count: number }>(KNOWN, [ids]))?.count);

  it('are written with the commit where nobody waits for them, and in one round trip', async () => {
    const [a, b] = [uuid(), uuid()];
    let trips = 0;
    for (const how of ['run', 'alone'] as const)
      await transactions[how](async (sql) => {
        const { client } = sql as unknown as { client: PoolClient };
        const counted = vi.spyOn(client, 'query');
        await sql.later(NOTE, [how === 'run' ? a : b]);
        await sql.later('DELETE FROM inbox WHERE id = $1', [uuid()]);
        setImmediate(() => {
          trips += counted.mock.calls.length;
          counted.mockRestore();
        });
      });
    expect([await known(a, b), trips]).toEqual([2, 2]);
  });

  it('come before what is waited for after them, in plain SQL and in TypeORM’s', async () => {
    const id = uuid();
    await transactions.run(async (sql) => {
      await sql.later(NOTE, [id]);
      expect(await sql.first(KNOWN, [[id]])).toEqual({ count: 1 });
      await sql.later('DELETE FROM inbox WHERE id = $1', [id]);
      expect(await sql.manager.findOneBy(InboxEntity, { id })).toBeNull();
      await sql.later(NOTE, [id]);
    });
    expect(await known(id)).toBe(1);
  });

  it.each([
    ['with the commit', () => Promise.resolve()],
    ['with what is waited for next', (sql: Sql) => sql.rows('SELECT 1')],
    ['before a statement of TypeORM’s, whose own failure only follows from it', (sql: Sql) => sql.manager.find(InboxEntity, { take: 1 })],
    ['before a failure that is caught: what has failed is not committed', (sql: Sql) => sql.rows('SELECT 1').catch(() => undefined)],
  ])('fail the whole, by their own code, %s', async (_when, then) => {
    const [first, id] = [uuid(), uuid()];
    const twice = transactions.run(async (sql) => {
      await sql.later(NOTE, [first]);
      await sql.later(NOTE, [id]);
      await sql.later(NOTE, [id]);
      await then(sql);
    });
    await expect(twice).rejects.toMatchObject({ code: 'store.conflict' });
    expect(await known(first, id)).toBe(0);
    // The connection is whole again.
    expect(await transactions.run((sql) => sql.rows('SELECT 1 AS one'))).toEqual([{ one: 1 }]);
  });

  it('are forgotten where the work fails', async () => {
    const id = uuid();
    const failing = transactions.run(async (sql) => {
      await sql.later(NOTE, [id]);
      throw new Error('changed its mind');
    });
    await expect(failing).rejects.toThrow('changed its mind');
    expect(await known(id)).toBe(0);
  });

  it('with a value that cannot be sent leave the connection as it was', async () => {
    const odd = {
      toPostgres: (): string => {
        throw new Error('not to be sent');
      },
    };
    await expect(transactions.run((sql) => sql.rows('SELECT $1::text', [odd]))).rejects.toThrow('not to be sent');
    expect(await transactions.run((sql) => sql.rows('SELECT 1 AS one'))).toEqual([{ one: 1 }]);
  });

  it('leave it unknown whether they stand where the connection breaks at the commit, and not before', async () => {
    const end = 'SELECT pg_terminate_backend(pg_backend_pid())';
    await expect(transactions.run((sql) => sql.rows(end))).rejects.toMatchObject({ code: 'store.unavailable' });
    await expect(transactions.run((sql) => sql.later(end))).rejects.toMatchObject({ code: 'store.unavailable' });
    const broken = transactions.run(async (sql) => {
      await sql.later(NOTE, [uuid()]);
      const { client } = sql as unknown as { client: { connection: { stream: { destroy(): void } } } };
      process.nextTick(() => client.connection.stream.destroy());
    });
    await expect(broken).rejects.toMatchObject({ code: 'store.outcome-unknown' });
  });

  describe('that come again', () => {
    const NAMED = 'SELECT name, statement FROM pg_prepared_statements WHERE statement = $1';
    const named = async (sql: Sql, text: string): Promise<number> => (await sql.rows(NAMED, [text])).length;

    it('are known to the server by name from the second time on, with their answer, within one trip and over several', async () => {
      const text = 'SELECT $1::int AS a, $2::text AS b';
      await transactions.run(async (sql) => {
        expect(await sql.rows(text, [1, 'x'])).toEqual([{ a: 1, b: 'x' }]);
        expect(await named(sql, text)).toBe(0);
        await sql.later(text, [2, 'y']);
        await sql.later(text, [3, 'z']);
        expect(await sql.rows(text, [4, null])).toEqual([{ a: 4, b: null }]);
        expect(await sql.rows(text, [5, 'w'])).toEqual([{ a: 5, b: 'w' }]);
        expect(await named(sql, text)).toBe(1);
      });
    });

    it.each([
      ['the server has forgotten them', async () => transactions.alone(async (sql) => sql.affected('DEALLOCATE ALL'))],
      ['their answer has other columns', async () => adminQuery(owner, 'ALTER TABLE exchange.noted ALTER COLUMN a TYPE text')],
    ])('are said in full once more where %s', async (_what, change) => {
      const text = 'SELECT a FROM noted';
      await adminQuery(owner, 'CREATE TABLE exchange.noted AS SELECT 1 AS a');
      await adminQuery(owner, 'GRANT SELECT ON exchange.noted TO PUBLIC');
      let tries = 0;
      try {
        await transactions.alone(async (sql) => {
          for (let i = 0; i < 3; i += 1) await sql.rows(text);
          expect(await named(sql, text)).toBe(1);
        });
        await change();
        await transactions.run(async (sql) => {
          tries += 1;
          expect(await sql.rows<{ a: unknown }>(text)).toHaveLength(1);
        });
      } finally {
        await adminQuery(owner, 'DROP TABLE exchange.noted');
      }
      expect(tries).toBe(2);
    });

    it('are not named where they fail, nor where a star stands for columns that a migration may add', async () => {
      const [failing, star] = ['SELECT 1 / $1::int AS a', 'SELECT * FROM inbox'];
      for (let i = 0; i < 3; i += 1)
        await expect(transactions.run(async (sql) => sql.rows(failing, [0]))).rejects.toMatchObject({ code: 'store.rejected' });
      await transactions.run(async (sql) => {
        for (let i = 0; i < 3; i += 1) await sql.rows(star);
        expect(await sql.rows(failing, [1])).toEqual([{ a: 1 }]);
        expect(await named(sql, star)).toBe(0);
      });
    });
  });
});

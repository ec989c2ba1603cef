import type { PoolClient } from 'pg';
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { exchangeModel } from '../exchange/exchange.model.js';
import { InboxEntity } from '../role/role.entities.js';
import { uuid } from '../test-support/scratch.js';
import { testCluster } from '../test-support/test-cluster.js';
import { openDataSource } from './role-database.js';
import type { Sql } from './sql.js';
import { Transactions } from './unit-of-work.js';
import { PostgresWakeups } from './wakeups.js';

const NOTE = 'INSERT INTO inbox (id, at) VALUES ($1, now())';
const KNOWN = 'SELECT count(*)::int AS count FROM inbox WHERE id = ANY ($1::uuid[])';

describe('statements that are put off', () => {
  let source: DataSource;
  let transactions: Transactions;

  beforeAll(async () => {
    const { exchange: address } = await (await testCluster()).country('LU');
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
});

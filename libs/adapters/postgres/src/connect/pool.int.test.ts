import { setTimeout as pause } from 'node:timers/promises';
import type { ExchangeTx } from '@portolan/domain';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openExchangeDatabase } from '../exchange/open-exchange-database.js';
import type { CountryDatabase } from '../provision/provision.js';
import { AesDataKeys } from '../test-support/aes-data-keys.js';
import { ask } from '../test-support/scratch.js';
import { testCluster } from '../test-support/test-cluster.js';
import type { RoleDatabase } from './role-database.js';

const POOL = 3;

describe('a pool whose connections are all taken', () => {
  let country: CountryDatabase;
  const opened: RoleDatabase<ExchangeTx>[] = [];

  beforeAll(async () => {
    country = await (await testCluster()).country('LV');
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((db) => db.close()));
  });

  async function open(options: { connectTimeoutMs?: number; statementTimeoutMs?: number } = {}): Promise<RoleDatabase<ExchangeTx>> {
    const db = await openExchangeDatabase({ address: country.exchange, poolSize: POOL, ...options }, new AesDataKeys());
    opened.push(db);
    return db;
  }

  /** So many transactions that hold their connections until they are let go. */
  function holding(db: RoleDatabase<ExchangeTx>, count: number): { done: Promise<unknown>; letGo: () => void } {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const done = Promise.all(Array.from({ length: count }, () => db.uow.run(() => promise)));
    return { done, letGo: () => resolve(undefined) };
  }

  it('lets the next wait, and serves it when one is free again', async () => {
    const db = await open();
    const { done, letGo } = holding(db, POOL);
    let served = false;
    const next = db.uow.run((tx) => tx.outbox.dead(1)).then(() => (served = true));
    await pause(200);
    expect(served).toBe(false);
    letGo();
    await done;
    expect(await next).toBe(true);
  });

  it('refuses with a code who has waited too long, and goes on afterwards', async () => {
    const db = await open({ connectTimeoutMs: 300 });
    const { done, letGo } = holding(db, POOL);
    await expect(db.uow.run((tx) => tx.outbox.dead(1))).rejects.toMatchObject({ code: 'store.unavailable' });
    await expect(db.ping()).rejects.toMatchObject({ code: 'store.unavailable' });
    letGo();
    await done;
    await expect(db.ping()).resolves.toBeUndefined();
  });

  it('never has more connections than it was given, whatever comes at once', async () => {
    const db = await open();
    const most = Promise.all(Array.from({ length: 60 }, () => db.uow.run((tx) => tx.outbox.dead(1))));
    const seen: number[] = [];
    for (let i = 0; i < 10; i += 1) {
      seen.push(await connections());
      await pause(10);
    }
    await most;
    expect(Math.max(...seen)).toBeLessThanOrEqual(POOL);
  });

  it('takes a connection back from a transaction that does nothing with it', async () => {
    const db = await open({ statementTimeoutMs: 200 });
    const idle = db.uow.run(async (tx) => {
      await tx.outbox.dead(1);
      await pause(1_500);
      await tx.outbox.dead(1);
    });
    await expect(idle).rejects.toMatchObject({ code: 'store.unavailable' });
    await expect(db.ping()).resolves.toBeUndefined();
  });

  async function connections(): Promise<number> {
    const { admin } = await testCluster();
    const [row] = await ask<{ count: string }>(admin, 'SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND usename = $2', [
      country.exchange.database,
      country.exchange.user,
    ]);
    return Number(row?.count);
  }
});

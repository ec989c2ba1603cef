import { createHash } from 'node:crypto';
import type { AuditRow, ExchangeTx, OutboxMessage } from '@portolan/domain';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RoleDatabase } from '../connect/role-database.js';
import { openEdgeDatabase } from '../edge/open-edge-database.js';
import { openExchangeDatabase } from '../exchange/open-exchange-database.js';
import { openNotaryDatabase } from '../notary/open-notary-database.js';
import { AesDataKeys } from '../test-support/aes-data-keys.js';
import { ask, personId, uuid } from '../test-support/scratch.js';
import { testCluster } from '../test-support/test-cluster.js';
import type { CountryDatabase } from '../provision/provision.js';

const at = '2026-11-21T10:00:00.000Z';

describe.each([
  ['edge', openEdgeDatabase],
  ['exchange', openExchangeDatabase],
  ['notary', openNotaryDatabase],
] as const)('what every role has, in %s', (schema, open) => {
  let ee: CountryDatabase;
  let db: RoleDatabase<ExchangeTx>;
  let other: RoleDatabase<ExchangeTx>;

  beforeAll(async () => {
    ee = await (await testCluster()).country('EE');
    const keys = new AesDataKeys();
    const config = { address: ee[schema], maxRefusals: 2 };
    // Two copies of the role, as two processes would have them.
    [db, other] = (await Promise.all([open(config, keys), open(config, keys)])) as unknown as RoleDatabase<ExchangeTx>[] as [
      RoleDatabase<ExchangeTx>,
      RoleDatabase<ExchangeTx>,
    ];
  });
  beforeEach(async () => {
    // What earlier tests left waiting is none of this one's.
    await ask(ee[schema], "UPDATE outbox SET state = 'delivered'".replace('outbox', `${schema}.outbox`));
  });
  afterAll(async () => {
    await Promise.all([db.close(), other.close()]);
  });

  const message = async (key: string, body: unknown = { secret: 'Mari Näidis' }): Promise<OutboxMessage> => ({
    id: uuid(),
    to: 'notary',
    type: 'anchor',
    key,
    keyId: await db.uow.run(({ keys }) => keys.create()),
    body,
  });

  describe('unit of work', () => {
    it('commits everything or nothing', async () => {
      const id = uuid();
      await expect(
        db.uow.run(async ({ inbox }) => {
          await inbox.first(id);
          throw new Error('changed its mind');
        }),
      ).rejects.toThrow('changed its mind');
      expect(await db.uow.run(({ inbox }) => inbox.first(id))).toBe(true);
    });

    it('runs again after a deadlock', async () => {
      const [a, b] = [uuid(), uuid()];
      const runs: string[] = [];
      const lock = async (first: typeof a, second: typeof a, name: string): Promise<void> =>
        db.uow.run(async ({ inbox }) => {
          runs.push(name);
          await inbox.first(first);
          await new Promise((resolve) => setTimeout(resolve, 100));
          await inbox.first(second);
        });
      await Promise.all([lock(a, b, 'ab'), lock(b, a, 'ba')]);
      expect(runs.length).toBeGreaterThan(2);
    });

    it('says a failure by code and place, and quotes no value', async () => {
      const row: AuditRow = {
        id: uuid(),
        at,
        type: 't',
        outcome: 'success',
        person: undefined,
        transferId: undefined,
        keyId: uuid(),
        body: 'x',
      };
      await expect(db.uow.run(({ audit }) => audit.append(row))).rejects.toMatchObject({ code: 'store.key-destroyed' });
      const bad = db.uow.run(({ inbox }) => inbox.first('canary-5521'));
      await expect(bad).rejects.toMatchObject({ code: 'store.rejected', detail: 'SQLSTATE 22P02' });
      const failure = (await bad.catch((error: unknown) => error)) as Error;
      expect(`${failure.stack ?? ''} ${JSON.stringify(failure)} ${String(failure.cause)}`).not.toContain('canary');
    });

    it('is ready to be asked', async () => {
      await expect(db.ping()).resolves.toBeUndefined();
    });
  });

  describe('keys', () => {
    it('makes one key a person, however many ask at once', async () => {
      const person = personId();
      const ids = await Promise.all([db, other, db, other, db, other].map(({ uow }) => uow.run(({ keys }) => keys.forPerson(person))));
      expect(new Set(ids).size).toBe(1);
    });

    it('gives an unowned key to the person, and to nobody else after', async () => {
      const [person, second] = [personId(), personId()];
      const key = await db.uow.run(({ keys }) => keys.create());
      await db.uow.run(({ keys }) => keys.assign(key, person));
      await db.uow.run(({ keys }) => keys.assign(key, person));
      await expect(db.uow.run(({ keys }) => keys.assign(key, second))).rejects.toMatchObject({ code: 'store.conflict' });
    });

    it('erases every key of a person, and makes no new one', async () => {
      const person = personId();
      const main = await db.uow.run(({ keys }) => keys.forPerson(person));
      const assigned = await db.uow.run(({ keys }) => keys.create());
      await db.uow.run(({ keys }) => keys.assign(assigned, person));
      await db.uow.run(({ keys }) => keys.erase(person));
      const left = await ask(ee[schema], `SELECT FROM ${schema}.data_key WHERE id = ANY ($1) AND wrapped IS NOT NULL`, [[main, assigned]]);
      expect(left).toEqual([]);
      await expect(db.uow.run(({ keys }) => keys.forPerson(person))).rejects.toMatchObject({ code: 'store.person-erased' });
      const late = await db.uow.run(({ keys }) => keys.create());
      await expect(db.uow.run(({ keys }) => keys.assign(late, person))).rejects.toMatchObject({ code: 'store.person-erased' });
      await expect(db.uow.run(({ keys }) => keys.erase(person))).resolves.toBeUndefined();
    });

    it('lets no key be made beside an erasure that runs at the same time', async () => {
      for (let round = 0; round < 10; round += 1) {
        const person = personId();
        await Promise.allSettled([
          db.uow.run(({ keys }) => keys.forPerson(person)),
          other.uow.run(({ keys }) => keys.erase(person)),
          db.uow.run(({ keys }) => keys.forPerson(person)),
        ]);
        expect(await ask(ee[schema], `SELECT FROM ${schema}.data_key WHERE person = $1 AND wrapped IS NOT NULL`, [person])).toEqual([]);
      }
    });

    it.each(['a first key', 'a key that was there'])('makes an erasure wait for a write under way that uses %s', async (which) => {
      const person = personId();
      if (which === 'a key that was there') await db.uow.run(({ keys }) => keys.forPerson(person));
      const order: string[] = [];
      const write = db.uow.run(async ({ keys }) => {
        await keys.forPerson(person);
        await new Promise((resolve) => setTimeout(resolve, 150));
        order.push('written');
      });
      await new Promise((resolve) => setTimeout(resolve, 50));
      await Promise.all([write, other.uow.run(({ keys }) => keys.erase(person)).then(() => order.push('erased'))]);
      expect(order).toEqual(['written', 'erased']);
    });
  });

  describe('outbox', () => {
    it('keeps the body from the tables and from other roles, also after delivery', async () => {
      const sent = await message('k');
      await db.uow.run(({ outbox }) => outbox.add(sent));
      const [row] = await ask<{ body: Buffer }>(ee[schema], `SELECT body FROM ${schema}.outbox WHERE id = $1`, [sent.id]);
      expect(row!.body.toString('latin1')).not.toContain('secret');
      await db.outbox.delivered(sent.id);
      expect(await db.outbox.body(sent.id, 'notary')).toEqual(sent.body);
      await expect(db.outbox.body(sent.id, 'edge')).rejects.toMatchObject({ code: 'store.not-for-you' });
      expect(await db.outbox.body(uuid(), 'notary')).toBeUndefined();
      const second = await message('k');
      const foreign = { ...(await message('k')), to: 'edge' as const };
      for (const one of [second, foreign]) await db.uow.run(({ outbox }) => outbox.add(one));
      const ids = [second.id, foreign.id, uuid(), sent.id];
      expect(await db.outbox.bodies(ids, 'notary')).toEqual(new Map([sent, second].map(({ id, body }) => [id, body])));
      await db.uow.run(({ keys }) => keys.destroy(sent.keyId));
      expect(await db.outbox.bodies(ids, 'notary')).toEqual(new Map([[second.id, second.body]]));
      expect(await db.outbox.body(sent.id, 'notary')).toBeUndefined();
      await expect(db.uow.run(({ outbox }) => outbox.add({ ...sent, id: uuid() }))).rejects.toMatchObject({ code: 'store.key-destroyed' });
    });

    it('hands a key’s messages out one after the other, in their order', async () => {
      const key = uuid();
      const sent = [await message(key), await message(key), await message(key)];
      for (const one of sent) await db.uow.run(({ outbox }) => outbox.add(one));
      for (const one of sent) {
        expect(await db.outbox.take(10, 60_000)).toEqual([{ id: one.id, to: 'notary', type: 'anchor', attempts: 1 }]);
        expect(await other.outbox.take(10, 60_000)).toEqual([]);
        await db.outbox.delivered(one.id);
      }
      expect(await db.outbox.take(10, 60_000)).toEqual([]);
    });

    it('gives no message to two takers', async () => {
      const sent = await Promise.all(Array.from({ length: 60 }, async () => message(uuid())));
      await db.uow.run(async ({ outbox }) => {
        for (const one of sent) await outbox.add(one);
      });
      const takers = Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? db : other).outbox.take(7, 60_000));
      const taken = (await Promise.all(takers)).flat().map(({ id }) => id);
      expect(new Set(taken).size).toBe(taken.length);
      taken.push(...(await db.outbox.take(100, 60_000)).map(({ id }) => id));
      expect(taken.sort()).toEqual(sent.map(({ id }) => id).sort());
    });

    it('gives a message out again after its lease, and after a failure not before its delay', async () => {
      const sent = await message(uuid());
      await db.uow.run(({ outbox }) => outbox.add(sent));
      expect((await db.outbox.take(1, 50)).length).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 80));
      expect(await other.outbox.take(1, 60_000)).toEqual([{ id: sent.id, to: 'notary', type: 'anchor', attempts: 2 }]);
    });

    it('calls a message dead after its attempts, lets the next go, and revives it', async () => {
      const key = uuid();
      const [poison, next] = [await message(key), await message(key)];
      for (const one of [poison, next]) await db.uow.run(({ outbox }) => outbox.add(one));
      for (let attempt = 1; attempt <= 2; attempt += 1) {
        expect((await db.outbox.take(1, 60_000))[0]!.id).toBe(poison.id);
        // Reaching nobody counts for nothing, being refused does.
        for (let time = 0; time < 5; time += 1) await db.outbox.failed(poison.id, 0, 'link.unreachable', false);
        await db.outbox.failed(poison.id, 0, 'link.failed', true);
      }
      expect(await db.outbox.dead(100)).toContainEqual({ id: poison.id, to: 'notary', type: 'anchor', code: 'link.failed' });
      expect((await db.outbox.take(1, 60_000))[0]!.id).toBe(next.id);
      expect([await db.outbox.revive(poison.id), await db.outbox.revive(poison.id)]).toEqual([true, false]);
      expect((await db.outbox.take(1, 60_000))[0]).toMatchObject({ id: poison.id, attempts: 1 });
    });
  });

  it('notes a received message once', async () => {
    const id = uuid();
    const firsts = await Promise.all([db, other, db, other].map(({ uow }) => uow.run(({ inbox }) => inbox.first(id))));
    expect(firsts.filter(Boolean).length).toBe(1);
  });

  describe('what has served', () => {
    const lease = async (): Promise<number> => (await db.leases.acquire('retention', 'test', 600_000))!;
    const day = 86_400_000;

    it('goes from the outbox when it was delivered long enough ago, and nothing else does', async () => {
      const [waiting, fresh, old] = [await message(uuid()), await message(uuid()), await message(uuid())];
      for (const one of [waiting, fresh, old]) await db.uow.run(({ outbox }) => outbox.add(one));
      for (const one of [fresh, old]) await db.outbox.delivered(one.id);
      await ask(ee[schema], `UPDATE ${schema}.outbox SET delivered_at = now() - interval '8 days' WHERE id = $1`, [old.id]);
      const fencing = await lease();
      expect(await db.outbox.purge(7 * day, 100, fencing)).toBe(1);
      expect(await db.outbox.purge(7 * day, 100, fencing)).toBe(0);
      expect([await db.outbox.body(old.id, 'notary'), await db.outbox.body(fresh.id, 'notary')]).toEqual([undefined, fresh.body]);
      expect(await db.outbox.undelivered([waiting.id, fresh.id, old.id], 'notary')).toEqual([waiting.id]);
      expect(await db.outbox.undelivered([waiting.id], 'edge')).toEqual([]);
      await expect(db.outbox.purge(0, 100, fencing - 1)).rejects.toMatchObject({ code: 'store.fenced' });
      await db.outbox.delivered(waiting.id);
    });

    it('goes from the inbox in pages, oldest first', async () => {
      const ids = [uuid(), uuid(), uuid()].sort();
      for (const id of ids) await db.uow.run(({ inbox }) => inbox.first(id));
      await ask(ee.owner, `UPDATE ${schema}.inbox SET at = '2020-01-01T00:00:00.123Z' WHERE id = ANY ($1)`, [ids]);
      const first = await db.uow.run(({ inbox }) => inbox.old(35 * day, 2));
      expect(first.map(({ id }) => id)).toEqual(ids.slice(0, 2));
      expect((await db.uow.run(({ inbox }) => inbox.old(35 * day, 2, first[1]))).map(({ id }) => id)).toEqual(ids.slice(2));
      const fencing = await lease();
      await expect(db.uow.run(({ inbox }) => inbox.forget(ids, fencing + 1))).rejects.toMatchObject({ code: 'store.fenced' });
      await db.uow.run(({ inbox }) => inbox.forget(ids.slice(1), fencing));
      expect(await db.uow.run(({ inbox }) => inbox.old(35 * day, 10))).toMatchObject([{ id: ids[0] }]);
      await db.uow.run(({ inbox }) => inbox.forget(ids, fencing));
    });

    it('never from the audit trail', async () => {
      for (const statement of ['DELETE FROM', 'TRUNCATE'])
        await expect(ask(ee[schema], `${statement} ${schema}.audit_event`)).rejects.toMatchObject({ code: '42501' });
    });
  });

  describe('audit', () => {
    const event = (over: Partial<AuditRow>): AuditRow => ({
      id: uuid(),
      at,
      type: 'record.read',
      outcome: 'success',
      person: undefined,
      transferId: undefined,
      keyId: '',
      body: '{"secret":"Mari Näidis"}',
      ...over,
    });

    it('keeps ciphertext, and its RFC 6962 leaf hash stays when the body cannot be read any more', async () => {
      const person = personId();
      const keyId = await db.uow.run(({ keys }) => keys.forPerson(person));
      const row = event({ person, keyId });
      const { leafHash } = await db.uow.run(({ audit }) => audit.append(row));
      const [stored] = await ask<{ body: Buffer }>(ee[schema], `SELECT body FROM ${schema}.audit_event WHERE id = $1`, [row.id]);
      expect(stored!.body.toString('latin1')).not.toContain('secret');
      expect(createHash('sha256').update('\0').update(stored!.body).digest('hex')).toBe(leafHash);
      const [listed] = await db.uow.run(({ audit }) => audit.list({ person }, 10));
      expect(listed).toMatchObject({ id: row.id, at, body: row.body, leafHash });
      await db.uow.run(({ keys }) => keys.erase(person));
      const [erased] = await db.uow.run(({ audit }) => audit.list({ person }, 10));
      expect(erased).toMatchObject({ id: row.id, body: undefined, leafHash });
    });

    it('lists the newest first, narrowed and by pages', async () => {
      const person = personId();
      const transferId = uuid();
      const keyId = await db.uow.run(({ keys }) => keys.forPerson(person));
      const rows = [1, 2, 3, 4, 5].map((i) =>
        event({
          person,
          keyId,
          at: `2026-11-21T10:0${i}:00.000Z`,
          type: i % 2 === 0 ? 'even' : 'odd',
          transferId: i > 3 ? transferId : undefined,
        }),
      );
      for (const row of rows) await db.uow.run(({ audit }) => audit.append(row));
      const ids = async (filter: object, limit = 10, before?: string): Promise<string[]> =>
        (await db.uow.run(({ audit }) => audit.list({ person, ...filter }, limit, before))).map(({ at: time }) => time.slice(15, 16));
      expect(await ids({})).toEqual(['5', '4', '3', '2', '1']);
      expect(await ids({ type: 'odd' })).toEqual(['5', '3', '1']);
      expect(await ids({ transferId })).toEqual(['5', '4']);
      const [, second] = await db.uow.run(({ audit }) => audit.list({ person }, 2));
      expect(await ids({}, 2, second!.seq)).toEqual(['3', '2']);
    });

    it('does not take the same event twice', async () => {
      const keyId = await db.uow.run(({ keys }) => keys.create());
      const row = event({ keyId });
      await db.uow.run(({ audit }) => audit.append(row));
      await expect(db.uow.run(({ audit }) => audit.append(row))).rejects.toMatchObject({ code: 'store.conflict' });
    });
  });

  describe('leases', () => {
    it('has one holder, whose number grows with each new one only', async () => {
      const names = { edge: 'batcher', exchange: 'sequencer', notary: 'indexer' } as const;
      const name = names[schema];
      const first = (await db.leases.acquire(name, 'a', 60_000))!;
      expect(await other.leases.acquire(name, 'b', 60_000)).toBeUndefined();
      expect(await db.leases.acquire(name, 'a', 60_000)).toBe(first);
      await other.leases.release(name, 'b');
      expect(await other.leases.acquire(name, 'b', 60_000)).toBeUndefined();
      await db.leases.release(name, 'a');
      expect(await other.leases.acquire(name, 'b', 60)).toBe(first + 1);
      await new Promise((resolve) => setTimeout(resolve, 80));
      expect(await db.leases.acquire(name, 'a', 60_000)).toBe(first + 2);
    });

    it('gives a free lease to one of many who ask at once', async () => {
      const name = 'batcher';
      await ask(ee.owner, `DELETE FROM ${schema}.lease`);
      const numbers = await Promise.all(
        Array.from({ length: 8 }, (_, i) => (i % 2 === 0 ? db : other).leases.acquire(name, `h${i}`, 60_000)),
      );
      expect(numbers.filter((number) => number !== undefined)).toEqual([1]);
    });
  });

  describe('wake-ups', () => {
    it('ends a wait when rows are committed, in another process too, and not before', async () => {
      // The first wait connects the listener.
      await db.wakeups.wait('outbox', 300);
      const sent = await message(uuid());
      const started = performance.now();
      const woken = db.wakeups.wait('outbox', 10_000).then(() => performance.now() - started);
      await other.uow.run(async ({ outbox }) => {
        await outbox.add(sent);
        await new Promise((resolve) => setTimeout(resolve, 200));
      });
      const after = await woken;
      expect(after).toBeGreaterThan(190);
      expect(after).toBeLessThan(5_000);
    });

    it('remembers a wake-up that came while nobody waited, and times out without one', async () => {
      await db.wakeups.wait('log', 300);
      await other.wakeups.notify('log');
      await new Promise((resolve) => setTimeout(resolve, 150));
      const started = performance.now();
      await db.wakeups.wait('log', 10_000);
      expect(performance.now() - started).toBeLessThan(1_000);
      await db.wakeups.wait('log', 50);
      expect(performance.now() - started).toBeGreaterThan(40);
    });
  });
});

describe('a database that is away', () => {
  it('is named as unavailable', async () => {
    const { exchange } = await (await testCluster()).country('EE');
    const open = openExchangeDatabase({ address: { ...exchange, port: 1 } }, new AesDataKeys());
    await expect(open).rejects.toMatchObject({ code: 'store.unavailable', retriable: true });
  });

  it('fails a transaction whose session is ended, and serves the next', async () => {
    const { exchange, owner: _ } = await (await testCluster()).country('EE');
    const { admin } = await testCluster();
    const db = await openExchangeDatabase({ address: exchange, applicationName: 'to-be-ended' }, new AesDataKeys());
    const end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'to-be-ended'";
    const work = db.uow.run(async ({ keys, inbox }) => {
      await keys.create();
      await ask(admin, end);
      return inbox.first(uuid());
    });
    await expect(work).rejects.toMatchObject({ code: 'store.unavailable' });
    expect(await db.uow.run(({ inbox }) => inbox.first(uuid()))).toBe(true);
    await db.close();
  });
});

describe.each([
  ['edge', openEdgeDatabase],
  ['exchange', openExchangeDatabase],
] as const)('statements that an act was done under, in %s', (schema, open) => {
  let ee: CountryDatabase;
  let copies: RoleDatabase<ExchangeTx>[];
  const until = (ms: number): string => new Date(Date.now() + ms).toISOString();
  const kept = async (): Promise<number> => (await ask<{ id: unknown }>(ee[schema], `SELECT id FROM ${schema}.used_statement`)).length;

  beforeAll(async () => {
    ee = await (await testCluster()).country('EE');
    const config = { address: ee[schema] };
    copies = (await Promise.all([open(config, new AesDataKeys()), open(config, new AesDataKeys())])) as unknown as typeof copies;
  });
  afterAll(async () => {
    await Promise.all(copies.map((copy) => copy.close()));
  });

  it('are first once, of many copies at once, and again only where that act was undone', async () => {
    const statement = { id: `hospital ${uuid()}\0`, until: until(300_000) };
    const [copy] = copies as [RoleDatabase<ExchangeTx>];
    const undone = copy.uow.run(async ({ statements }) => {
      expect(await statements.first(statement)).toBe(true);
      throw new Error('the act failed');
    });
    await expect(undone).rejects.toThrow('the act failed');
    const races = [...copies, ...copies, ...copies].map((one) => one.uow.run(({ statements }) => statements.first(statement)));
    expect((await Promise.all(races)).filter((first) => first)).toHaveLength(1);
  });

  it('are let go of once they have ended for good, and no sooner', async () => {
    const [copy] = copies as [RoleDatabase<ExchangeTx>];
    const [ended, live] = [until(-11 * 60_000), until(-60_000)];
    await copy.uow.run(async ({ statements }) => {
      for (let i = 0; i < 30; i += 1) await statements.first({ id: uuid(), until: ended });
    });
    const statement = { id: uuid(), until: live };
    await copy.uow.run(({ statements }) => statements.first(statement));
    for (let i = 0; i < 3; i += 1) await copy.uow.run(({ statements }) => statements.first({ id: uuid(), until: until(300_000) }));
    const rows = await ask<{ until: Date }>(ee[schema], `SELECT until FROM ${schema}.used_statement`);
    expect(rows.filter((row) => row.until.toISOString() === ended)).toEqual([]);
    expect(await copy.uow.run(({ statements }) => statements.first(statement))).toBe(false);
    expect(await kept()).toBeLessThan(10);
  });
});

import {
  DUE_NOW,
  type TransferId,
  type ExchangeTransfer,
  type ExchangeTx,
  type OutgoingFailure,
  type OutgoingShare,
  type PermitRow,
} from '@portolan/domain';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RoleDatabase } from '../connect/role-database.js';
import type { CountryDatabase } from '../provision/provision.js';
import { AesDataKeys } from '../test-support/aes-data-keys.js';
import { ask, personId, transferId, uuid } from '../test-support/scratch.js';
import { testCluster } from '../test-support/test-cluster.js';
import { openExchangeDatabase } from './open-exchange-database.js';

const at = '2026-11-21T10:00:00.000Z';
const past = '2020-01-01T00:00:00.000Z';
const future = '2099-01-01T00:00:00.000Z';

describe('the exchange’s stores', () => {
  let pt: CountryDatabase;
  let db: RoleDatabase<ExchangeTx>;
  let other: RoleDatabase<ExchangeTx>;

  beforeAll(async () => {
    pt = await (await testCluster()).country('PT');
    const keys = new AesDataKeys();
    db = await openExchangeDatabase({ address: pt.exchange, maxRefusals: 3 }, keys);
    other = await openExchangeDatabase({ address: pt.exchange, maxRefusals: 3 }, keys);
  });
  afterAll(async () => {
    await Promise.all([db.close(), other.close()]);
  });

  const newKey = async (): Promise<string> => db.uow.run(({ keys }) => keys.create());

  it('keeps declared emergencies until they are reviewed, what they are about encrypted', async () => {
    const row = { id: uuid(), custodian: 'EE', declared: at, until: '2026-11-21T11:00:00.000Z', reviewDue: '2026-11-24T11:00:00.000Z' };
    const text = '{"reason":"Ana Exemplo was found unconscious"}';
    const emergency = { ...row, state: 'declared' as const, keyId: await newKey(), text };
    const run = db.uow.run.bind(db.uow);
    expect(await run(({ emergencies }) => emergencies.declare(emergency))).toBe(true);
    expect(await run(({ emergencies }) => emergencies.declare(emergency))).toBe(false);
    expect(await run(({ emergencies }) => emergencies.get(row.id))).toEqual(emergency);
    const [stored] = await ask<{ text: Buffer }>(pt.exchange, 'SELECT text FROM exchange.emergency WHERE id = $1', [row.id]);
    expect(stored!.text.toString('latin1')).not.toContain('Exemplo');
    const open = [at, row.until, row.until] as const;
    expect(await run(({ emergencies }) => emergencies.unreviewed(open[0], 10))).toEqual([]);
    expect(await run(({ emergencies }) => emergencies.overAt(open[1], 10))).toEqual([emergency]);
    expect(await run(({ emergencies }) => emergencies.unreviewed(open[2], 10))).toEqual([emergency]);
    expect(await run(({ emergencies }) => emergencies.review(row.id, '{}'))).toBe(false);
    expect(await run(({ emergencies }) => emergencies.end(row.id))).toBe(true);
    expect(await run(({ emergencies }) => emergencies.end(row.id))).toBe(false);
    expect(await run(({ emergencies }) => emergencies.unreviewed(at, 10))).toMatchObject([{ id: row.id, state: 'ended' }]);
    expect(await run(({ emergencies }) => emergencies.review(row.id, '{}'))).toBe(true);
    expect(await run(({ emergencies }) => emergencies.unreviewed(future, 10))).toEqual([]);
  });

  describe('transfers', () => {
    const transfer = async (over: Partial<ExchangeTransfer> = {}): Promise<ExchangeTransfer> => ({
      transferId: transferId(),
      side: 'custodian',
      kind: 'record',
      partner: 'EE',
      state: 'requested',
      permitId: undefined,
      person: undefined,
      keyId: over.keyId ?? (await newKey()),
      data: { asked: { name: 'Ana Exemplo' } },
      limit: future,
      dueAt: past,
      attempts: 0,
      createdAt: at,
      ...over,
    });
    const created = async (over: Partial<ExchangeTransfer> = {}): Promise<ExchangeTransfer> => {
      const made = await transfer(over);
      expect(await db.uow.run(({ transfers }) => transfers.create(made))).toBe(true);
      return made;
    };

    it('are created once, and read back as they were', async () => {
      const made = await created();
      expect(await db.uow.run(({ transfers }) => transfers.create(made))).toBe(false);
      expect(await db.uow.run(({ transfers }) => transfers.get(made.transferId))).toEqual(made);
      expect(await db.uow.run(({ transfers }) => transfers.get(transferId()))).toBeUndefined();
      const [row] = await ask<{ data: Buffer }>(pt.exchange, 'SELECT data FROM exchange.transfer WHERE transfer_id = $1', [
        made.transferId,
      ]);
      expect(row!.data.toString('latin1')).not.toContain('Exemplo');
    });

    it('move on from the expected state alone, and once however many try', async () => {
      const { transferId: id } = await created();
      expect(await db.uow.run(({ transfers }) => transfers.advance(id, 'asked', 'sent', {}))).toBe(false);
      const moves = await Promise.all(
        [db, other, db, other].map(({ uow }, i) =>
          uow.run(({ transfers }) => transfers.advance(id, 'requested', `step${i}`, { data: { by: i } })),
        ),
      );
      expect(moves.filter(Boolean).length).toBe(1);
      const stored = (await db.uow.run(({ transfers }) => transfers.get(id)))!;
      expect(stored.state).toBe(`step${moves.indexOf(true)}`);
      expect(stored.data).toEqual({ asked: { name: 'Ana Exemplo' }, by: moves.indexOf(true) });
    });

    it('are held many at once: nobody else moves one meanwhile, and each is asked for again once it has moved', async () => {
      const made = await Promise.all([created(), created(), created()]);
      const [first, second, third] = made.map(({ transferId: id }) => id) as [TransferId, TransferId, TransferId];
      const order: string[] = [];
      const isHeld = Promise.withResolvers<undefined>();
      const holder = db.uow.run(async ({ transfers }) => {
        await transfers.hold([third, first, transferId()]);
        isHeld.resolve(undefined);
        expect([await transfers.get(first), (await transfers.get(second))?.state]).toEqual([made[0], 'requested']);
        expect(await transfers.advance(first, 'elsewhere', 'x', {})).toBe(false);
        expect(await transfers.advance(first, 'requested', 'one', { data: { n: 1 }, dueAt: DUE_NOW })).toBe(true);
        expect(await transfers.advance(first, 'one', 'two', { data: { m: 2 }, permitId: made[0].transferId })).toBe(true);
        expect(await transfers.advance(third, 'requested', 'three', {})).toBe(true);
        await new Promise((resolve) => setTimeout(resolve, 200));
        order.push('holder');
      });
      await isHeld.promise;
      const late = other.uow.run(({ transfers }) => transfers.advance(third, 'requested', 'late', {})).finally(() => order.push('late'));
      await holder;
      expect([await late, order]).toEqual([false, ['holder', 'late']]);
      const after = await db.uow.run(({ transfers }) => transfers.get(first));
      expect(after).toMatchObject({ state: 'two', permitId: first, limit: made[0].limit, data: { ...made[0].data, n: 1, m: 2 } });
      expect((await db.uow.run(({ transfers }) => transfers.get(third)))?.state).toBe('three');
    });

    it('take over what a step changes: data merged, a person’s key instead of the message’s', async () => {
      const { transferId: id, keyId: messageKey } = await created({ attempts: 3 });
      const person = personId();
      const keyId = await db.uow.run(({ keys }) => keys.forPerson(person));
      const permitId = uuid();
      const change = { data: { permit: 'x', asked: null }, keyId, person, permitId, limit: at, dueAt: future };
      await db.uow.run(({ transfers }) => transfers.advance(id, 'requested', 'permitted', change));
      await db.uow.run(({ keys }) => keys.destroy(messageKey));
      const stored = await db.uow.run(({ transfers }) => transfers.get(id));
      expect(stored).toMatchObject({ keyId, person, permitId, limit: at, dueAt: future, attempts: 0, data: { permit: 'x', asked: null } });
      expect(await db.uow.run(({ transfers }) => transfers.byPermit(permitId))).toEqual([stored]);
      await db.uow.run(({ keys }) => keys.erase(person));
      expect((await db.uow.run(({ transfers }) => transfers.get(id)))!.data).toEqual({});
      await expect(db.uow.run(({ transfers }) => transfers.advance(id, 'permitted', 'ended', { data: { x: 1 } }))).rejects.toMatchObject({
        code: 'store.key-destroyed',
      });
      expect(await db.uow.run(({ transfers }) => transfers.advance(id, 'permitted', 'ended', {}))).toBe(true);
    });

    it('are taken when due, by one taker each, again after the lease, and not before a delay has passed', async () => {
      const state = uuid();
      const keyId = await newKey();
      const due = await Promise.all(Array.from({ length: 20 }, async () => created({ state, keyId })));
      await created({ state, keyId, dueAt: future });
      await created({ state: uuid(), keyId });
      const takers = Array.from({ length: 8 }, (_, i) =>
        (i % 2 === 0 ? db : other).uow.run(({ transfers }) => transfers.take([state, 'x'], 4, 300)),
      );
      const taken = (await Promise.all(takers)).flat();
      taken.push(...(await db.uow.run(({ transfers }) => transfers.take([state], 100, 300))));
      expect(taken.map((one) => one.transferId).sort()).toEqual(due.map((one) => one.transferId).sort());
      expect(taken.every(({ attempts, data }) => attempts === 1 && data['asked'] !== undefined)).toBe(true);
      const [first, second] = due as [ExchangeTransfer, ExchangeTransfer];
      await db.uow.run(({ transfers }) => transfers.postpone(first.transferId, 60_000, 'store.unavailable'));
      await db.uow.run(({ transfers }) => transfers.postpone(second.transferId, 0, 'store.unavailable'));
      const again = async (): Promise<string[]> =>
        (await db.uow.run(({ transfers }) => transfers.take([state], 100, 60_000))).map((one) => one.transferId);
      expect(await again()).toEqual([second.transferId]);
      await new Promise((resolve) => setTimeout(resolve, 330));
      expect((await again()).length).toBe(18);
    });

    // A node's clock was ten minutes ahead: what it had called "now" waited as long after the clock was right.
    it('are due at once by the clock of the store, whatever the node’s says', async () => {
      const state = uuid();
      const keyId = await newKey();
      const { transferId } = await created({ state, keyId, dueAt: future });
      await db.uow.run(({ transfers }) => transfers.advance(transferId, state, state, { dueAt: DUE_NOW }));
      const made = await created({ state, keyId, dueAt: DUE_NOW });
      const taken = await db.uow.run(({ transfers }) => transfers.take([state], 10, 300));
      expect(taken.map((one) => one.transferId).sort()).toEqual([transferId, made.transferId].sort());
      expect(taken.every(({ dueAt }) => Math.abs(Date.parse(dueAt) - Date.now()) < 60_000)).toBe(true);
    });

    it('are listed newest first, by state and partner', async () => {
      const state = uuid();
      const keyId = await newKey();
      const old = await created({ state, keyId, createdAt: '2026-11-20T10:00:00.000Z' });
      const young = await created({ state, keyId, partner: 'BE' });
      const list = async (filter: object): Promise<string[]> =>
        (await db.uow.run(({ transfers }) => transfers.list({ state, ...filter }, 10))).map((one) => one.transferId);
      expect(await list({})).toEqual([young.transferId, old.transferId]);
      expect(await list({ partner: 'EE' })).toEqual([old.transferId]);
    });
  });

  describe('incoming envelopes', () => {
    const body = new Uint8Array([0, 1, 254, 255]);

    it('are taken once by (partner, id), in order within a key, with their exact bytes', async () => {
      const [one, two] = [uuid(), uuid()];
      const append = async (from: string, id: string, key: string): Promise<boolean> =>
        db.uow.run(({ incoming }) => incoming.append(from, { id, key, body }));
      expect([
        await append('EE', one, 'k1'),
        await append('EE', one, 'k1'),
        await append('BE', one, 'k1'),
        await append('EE', two, 'k1'),
      ]).toEqual([true, false, true, true]);
      const take = async (): ReturnType<ExchangeTx['incoming']['take']> => db.uow.run(({ incoming }) => incoming.take(10, 60_000));
      const [ee, be, ...none] = await take();
      expect(ee).toMatchObject({ from: 'EE', id: one, key: 'k1', body, attempts: 1 });
      expect(be).toMatchObject({ from: 'BE', id: one });
      expect(none).toEqual([]);
      expect(await take()).toEqual([]);
      await db.uow.run(({ incoming }) => incoming.done(ee!.seq));
      const [next] = await take();
      expect(next).toMatchObject({ from: 'EE', id: two });
      await db.uow.run(({ incoming }) => incoming.retry(next!.seq, 0, 'seal.undecryptable'));
      expect((await take())[0]).toMatchObject({ id: two, attempts: 2 });
      await db.uow.run(({ incoming }) => incoming.dead(next!.seq, 'seal.undecryptable'));
      const [letter] = await db.uow.run(({ incoming }) => incoming.deadLetters(10));
      expect(letter).toMatchObject({ seq: next!.seq, from: 'EE', id: two, code: 'seal.undecryptable' });
      expect(await take()).toEqual([]);
      await db.uow.run(({ incoming }) => incoming.revive(next!.seq));
      expect((await take())[0]).toMatchObject({ id: two, attempts: 1, body });
      expect(await append('EE', one, 'k1')).toBe(false);
    });
  });

  describe('outgoing envelopes', () => {
    const unreachable = (id: string): OutgoingFailure => ({ id, delayMs: 0, code: 'exchange.partner-unreachable', refused: false });
    const refused = (id: string): OutgoingFailure => ({ id, delayMs: 0, code: 'exchange.certificate-refused', refused: true });

    it('leave in order, not before their time, and again when asked to', async () => {
      const key = uuid();
      const ids = [uuid(), uuid()];
      const body = new Uint8Array([9, 8]);
      for (const id of ids) await db.uow.run(({ outgoing }) => outgoing.add({ id, to: 'EE', key, body, notBefore: past }));
      const later = uuid();
      await db.uow.run(({ outgoing }) => outgoing.add({ id: later, to: 'EE', key: uuid(), body, notBefore: future }));
      const take = async (): ReturnType<ExchangeTx['outgoing']['take']> =>
        db.uow.run(({ outgoing }) => outgoing.take({ envelopes: 10 }, 60_000));
      for (let time = 0; time < 2; time += 1) {
        for (const id of ids) {
          const [taken, ...none] = await take();
          expect(taken).toMatchObject({ id, to: 'EE', key, body, attempts: 1 });
          expect(none).toEqual([]);
          if (time === 0) expect(taken!.notBefore).toBe(past);
          await db.uow.run(({ outgoing }) => outgoing.sent([id]));
        }
        expect(await take()).toEqual([]);
        await db.uow.run(({ outgoing }) => outgoing.resend(key));
      }
      const [again] = await take();
      await db.uow.run(({ outgoing }) => outgoing.failed([unreachable(again!.id)]));
      expect((await take())[0]).toMatchObject({ id: again!.id, attempts: 2 });
    });

    const body = new Uint8Array([7]);
    const lease = async (): Promise<number> => (await db.leases.acquire('retention', 'test', 600_000))!;
    const take = (): ReturnType<ExchangeTx['outgoing']['take']> => db.uow.run(({ outgoing }) => outgoing.take({ envelopes: 100 }, 0));

    it('are taken and marked many at once, up to so many bytes, and without those of partners that have enough', async () => {
      const few = new Uint8Array(1000);
      const ids = Array.from({ length: 6 }, () => uuid());
      await db.uow.run(async ({ outgoing }) => {
        for (const [i, id] of ids.entries())
          await outgoing.add({ id, to: i % 2 === 0 ? 'BE' : 'DE', key: uuid(), body: few, notBefore: past });
      });
      const taken = async (most: OutgoingShare): Promise<number[]> =>
        (await db.uow.run(({ outgoing }) => outgoing.take(most, 60_000))).map(({ id }) => ids.indexOf(id));
      expect(await taken({ envelopes: 10, bytes: 1_500, except: ['DE', 'EE'] })).toEqual([0, 2]);
      expect(await taken({ envelopes: 10, bytes: 1, except: ['EE'] })).toEqual([1]);
      expect(await taken({ envelopes: 2, except: ['EE'] })).toEqual([3, 4]);
      await db.uow.run(({ outgoing }) => outgoing.sent([ids[0]!, ids[1]!, ids[3]!]));
      await db.uow.run(({ outgoing }) => outgoing.failed([unreachable(ids[2]!), { ...unreachable(ids[4]!), delayMs: 60_000 }]));
      expect(await taken({ envelopes: 10, except: ['EE'] })).toEqual([2, 5]);
      const rows = await ask<{ state: string; attempts: number }>(
        pt.exchange,
        'SELECT state, attempts FROM exchange.outgoing WHERE id = ANY ($1) ORDER BY seq',
        [ids],
      );
      expect(rows.map(({ state, attempts }) => [state, attempts])).toEqual([
        ['sent', 1],
        ['sent', 1],
        ['waiting', 2],
        ['sent', 1],
        ['waiting', 1],
        ['waiting', 1],
      ]);
      await db.uow.run(({ outgoing }) => outgoing.sent(ids));
    });

    it('are found without reading the whole queue', async () => {
      const [row] = await ask<Record<string, unknown>>(
        pt.exchange,
        `SELECT indexdef FROM pg_indexes WHERE schemaname = 'exchange' AND indexname = 'outgoing_waiting'`,
      );
      expect(row?.['indexdef']).toMatch(/\(seq\) WHERE \(state = 'waiting'/);
    });

    it('are dead when they were refused too often, let the next go, and are revived', async () => {
      const [key, poison, next] = [uuid(), uuid(), uuid()];
      for (const id of [poison, next]) await db.uow.run(({ outgoing }) => outgoing.add({ id, to: 'EE', key, body, notBefore: past }));
      for (let time = 0; time < 10; time += 1) await db.uow.run(({ outgoing }) => outgoing.failed([unreachable(poison)]));
      expect((await take()).map(({ id }) => id)).toContain(poison);
      for (let time = 0; time < 3; time += 1) await db.uow.run(({ outgoing }) => outgoing.failed([refused(poison)]));
      expect((await take()).map(({ id }) => id)).toContain(next);
      expect(await db.uow.run(({ outgoing }) => outgoing.dead(10))).toEqual([
        { id: poison, to: 'EE', code: 'exchange.certificate-refused' },
      ]);
      expect(await db.uow.run(({ outgoing }) => outgoing.revive(poison))).toBe(true);
      expect(await db.uow.run(({ outgoing }) => outgoing.revive(poison))).toBe(false);
      expect((await take()).map(({ id }) => id)).toContain(poison);
      for (const id of [poison, next]) await db.uow.run(({ outgoing }) => outgoing.sent([id]));
    });

    it('lapse when what they are for is over, and go when they have served', async () => {
      const [lapsing, sent, kept] = [uuid(), uuid(), uuid()];
      const envelope = (id: string, until: string): Promise<void> =>
        db.uow.run(({ outgoing }) => outgoing.add({ id, to: 'EE', key: uuid(), body, notBefore: past, until }));
      await envelope(lapsing, past);
      await envelope(sent, future);
      await envelope(kept, future);
      expect((await take()).map(({ id }) => id)).not.toContain(lapsing);
      for (const id of [sent, kept]) await db.uow.run(({ outgoing }) => outgoing.sent([id]));
      const rowsOf = (): Promise<readonly { id: string; state: string }[]> =>
        ask(pt.exchange, 'SELECT id, state, length(body) AS bytes FROM exchange.outgoing WHERE id = ANY ($1)', [[lapsing, sent, kept]]);
      expect(await rowsOf()).toContainEqual({ id: lapsing, state: 'lapsed', bytes: 0 });
      await ask(pt.exchange, `UPDATE exchange.outgoing SET ended_at = now() - interval '8 days' WHERE id = ANY ($1)`, [
        [lapsing, sent, kept],
      ]);
      await ask(pt.exchange, `UPDATE exchange.outgoing SET until = now() - interval '1 day' WHERE id = $1`, [sent]);
      expect(await db.uow.run(async ({ outgoing }) => outgoing.purge(7 * 86_400_000, 100, await lease()))).toBe(2);
      expect((await rowsOf()).map(({ id }) => id)).toEqual([kept]);
      await expect(db.uow.run(({ outgoing }) => outgoing.purge(0, 1, 0))).rejects.toMatchObject({ code: 'store.fenced' });
      await expect(db.uow.run(({ incoming }) => incoming.purge(0, 1, 0))).rejects.toMatchObject({ code: 'store.fenced' });
    });

    it('that came in lose their row when they were done with long enough ago', async () => {
      const [old, fresh] = [uuid(), uuid()];
      for (const id of [old, fresh]) await db.uow.run(({ incoming }) => incoming.append('DE', { id, key: uuid(), body }));
      for (const { seq, from } of await db.uow.run(({ incoming }) => incoming.take(100, 0)))
        if (from === 'DE') await db.uow.run(({ incoming }) => incoming.done(seq));
      await ask(pt.exchange, `UPDATE exchange.incoming SET done_at = now() - interval '36 days' WHERE id = $1`, [old]);
      expect(await db.uow.run(async ({ incoming }) => incoming.purge(35 * 86_400_000, 100, await lease()))).toBe(1);
      expect(await db.uow.run(({ incoming }) => incoming.append('DE', { id: fresh, key: uuid(), body }))).toBe(false);
    });
  });

  describe('grounds and permits', () => {
    it('keep every version of a consent, end each once, and tell nothing of an erased person', async () => {
      const person = personId();
      const keyId = await db.uow.run(({ keys }) => keys.forPerson(person));
      const rows = [2, 1].map((version) => ({ id: uuid(), version, person, state: 'live' as const, keyId, text: `{"v": ${version}}`, at }));
      for (const row of rows) await db.uow.run(({ grounds }) => grounds.putConsent(row));
      await expect(db.uow.run(({ grounds }) => grounds.putConsent(rows[0]!))).rejects.toMatchObject({ code: 'store.conflict' });
      const ended = await Promise.all(
        [db, other].map(({ uow }) => uow.run(({ grounds }) => grounds.endConsent(rows[0]!.id, 'withdrawn', at))),
      );
      expect(ended.sort()).toEqual([false, true]);
      expect(await db.uow.run(({ grounds }) => grounds.consents(person))).toEqual([rows[1], { ...rows[0], state: 'withdrawn' }]);
      const restriction = { id: uuid(), person, state: 'live' as const, keyId, text: '{"scope":"all"}', at };
      await db.uow.run(({ grounds }) => grounds.putRestriction(restriction));
      expect(await db.uow.run(({ grounds }) => grounds.liftRestriction(restriction.id, at))).toBe(true);
      expect(await db.uow.run(({ grounds }) => grounds.liftRestriction(restriction.id, at))).toBe(false);
      expect(await db.uow.run(({ grounds }) => grounds.restrictions(person))).toEqual([{ ...restriction, state: 'lifted' }]);
      await db.uow.run(({ keys }) => keys.erase(person));
      expect(await db.uow.run(({ grounds }) => grounds.consents(person))).toEqual([]);
      expect(await db.uow.run(({ grounds }) => grounds.restrictions(person))).toEqual([]);
    });

    it('keep a permit’s opening exactly, and an ended permit ended', async () => {
      const person = personId();
      const keyId = await db.uow.run(({ keys }) => keys.forPerson(person));
      const permit: PermitRow = {
        id: uuid(),
        transferId: transferId(),
        person,
        recipient: 'EE',
        purpose: 'TREAT',
        until: future,
        state: 'granted',
        keyId,
        opening: '{"b":1,  "a":"õ"}',
        consentId: undefined,
      };
      await db.uow.run(({ permits }) => permits.put(permit));
      expect(await db.uow.run(({ permits }) => permits.get(permit.id))).toEqual(permit);
      await db.uow.run(({ permits }) => permits.mark(permit.id, 'ended'));
      await db.uow.run(({ permits }) => permits.mark(permit.id, 'anchored'));
      await db.uow.run(({ keys }) => keys.erase(person));
      expect(await db.uow.run(({ permits }) => permits.ofPerson(person))).toEqual([{ ...permit, state: 'ended', opening: undefined }]);
    });
  });
});

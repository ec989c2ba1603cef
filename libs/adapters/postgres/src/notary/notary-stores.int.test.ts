import type { NotaryTx, TrailStep } from '@portolan/domain';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CountryDatabase } from '../provision/provision.js';
import { AesDataKeys } from '../test-support/aes-data-keys.js';
import { ask, uuid } from '../test-support/scratch.js';
import { testCluster } from '../test-support/test-cluster.js';
import { openNotaryDatabase, type NotaryDatabase } from './open-notary-database.js';

const at = '2026-11-21T10:00:00.000Z';
const hash = (n: number): string => n.toString(16).padStart(64, '0');

describe('the notary’s stores', () => {
  let be: CountryDatabase;
  let db: NotaryDatabase;
  let other: NotaryDatabase;
  let batcher: number;
  let sequencer: number;
  let indexer: number;

  beforeAll(async () => {
    be = await (await testCluster()).country('BE');
    const keys = new AesDataKeys();
    db = await openNotaryDatabase({ address: be.notary }, keys);
    other = await openNotaryDatabase({ address: be.notary }, keys);
    batcher = (await db.leases.acquire('batcher', 'test', 600_000))!;
    sequencer = (await db.leases.acquire('sequencer', 'test', 600_000))!;
    indexer = (await db.leases.acquire('indexer', 'test', 600_000))!;
  });
  afterAll(async () => {
    await Promise.all([db.close(), other.close()]);
  });
  const run = async <T>(work: (tx: NotaryTx) => Promise<T>): Promise<T> => db.uow.run(work);

  it('takes an act until it is settled, once at a time', async () => {
    const id = uuid();
    const args = { z: 1, a: [null, 'x'] };
    await run(({ acts }) => acts.add(id, 'permit', args));
    await run(({ acts }) => acts.add(id, 'other', {}));
    const both = await Promise.all([db, other].map(({ uow }) => uow.run(({ acts }) => acts.take(10, 150))));
    expect(both.flat()).toEqual([{ id, fn: 'permit', args, state: 'pending', code: undefined, attempts: 1 }]);
    await run(({ acts }) => acts.submitted(id));
    expect(await run(({ acts }) => acts.take(10, 150))).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, 180));
    expect(await run(({ acts }) => acts.take(10, 60_000))).toMatchObject([{ id, state: 'submitted', attempts: 2 }]);
    await run(({ acts }) => acts.postpone(id, 0, 'ledger.unreachable'));
    expect(await run(({ acts }) => acts.take(10, 0))).toMatchObject([{ id, code: 'ledger.unreachable', attempts: 3 }]);
    await run(({ acts }) => acts.settle(id, 'invalid', 'ledger.refused'));
    expect(await run(({ acts }) => acts.take(10, 0))).toEqual([]);
    expect(await run(({ acts }) => acts.get(id))).toMatchObject({ state: 'invalid', code: 'ledger.refused' });
  });

  it('tells late steps that are missing: refused ones at once, others after their time', async () => {
    const leaf = (time: string): string => `{"late":"${uuid()}","step":"released","time":"${time}"}`;
    const [old, young, refused, there, ordinary] = [uuid(), uuid(), uuid(), uuid(), uuid()];
    const later = '2026-11-21T10:00:00.001Z';
    const add = (transferId: string, text: string): Promise<boolean> =>
      run(({ steps }) => steps.add({ transferId, step: 'released', leaf: text, evidence: undefined }));
    await add(old, leaf(at));
    await add(young, leaf(later));
    await add(refused, leaf(later));
    await add(there, leaf(at));
    await add(ordinary, '{"step":"released"}');
    await run(({ steps }) => steps.reject({ transferId: refused, step: 'released' }, 'ledger.permit-ended', batcher));
    await run(({ steps }) => steps.accept({ transferId: there, step: 'released' }, 0, batcher));
    expect(await run(({ steps }) => steps.missing(later, 10))).toEqual([
      { transferId: old, step: 'released', time: at, code: undefined },
      { transferId: refused, step: 'released', time: later, code: 'ledger.permit-ended' },
    ]);
    for (const transferId of [old, young, ordinary]) await run(({ steps }) => steps.accept({ transferId, step: 'released' }, 0, batcher));
  });

  it('batches steps in the order given, each step once, and lets an invalid batch’s number be used again', async () => {
    const ids = [uuid(), uuid(), uuid()] as const;
    const leaf = '{"leaf":  "exact"}';
    for (const transferId of ids)
      expect(await run(({ steps }) => steps.add({ transferId, step: 'released', leaf, evidence: undefined }))).toBe(true);
    expect(await run(({ steps }) => steps.add({ transferId: ids[0], step: 'released', leaf: 'x', evidence: {} }))).toBe(false);
    expect((await run(({ steps }) => steps.pending(10))).map(({ transferId }) => transferId)).toEqual(ids);
    expect(await run(({ batches }) => batches.last())).toBeUndefined();
    const chosen = [ids[2], ids[0]].map((transferId) => ({ transferId, step: 'released' }));
    const txId = uuid();
    await run(async ({ batches, steps }) => {
      await batches.put({ n: 0, txId, args: { b: 1 } }, batcher);
      await steps.batch(0, chosen, batcher);
    });
    await expect(run(({ steps }) => steps.batch(1, chosen, batcher))).rejects.toMatchObject({ code: 'store.conflict' });
    await expect(run(({ batches }) => batches.put({ n: 0, txId: uuid(), args: {} }, batcher))).rejects.toMatchObject({
      code: 'store.conflict',
    });
    expect(await run(({ batches }) => batches.open())).toEqual({ n: 0, txId, args: { b: 1 }, state: 'open', head: undefined });
    expect((await run(({ steps }) => steps.ofBatch(0))).map(({ transferId }) => transferId)).toEqual([ids[2], ids[0]]);
    await run(async ({ batches, steps }) => {
      await batches.settle({ n: 0, txId }, 'invalid', batcher);
      for (const step of chosen) await steps.again(step, 0, batcher);
    });
    expect(await run(({ batches }) => batches.last())).toBeUndefined();
    expect((await run(({ steps }) => steps.pending(10))).length).toBe(3);
    const again = uuid();
    await run(async ({ batches, steps }) => {
      await batches.put({ n: 0, txId: again, args: {} }, batcher);
      await steps.batch(0, chosen, batcher);
      await steps.accept({ transferId: ids[2], step: 'released' }, 0, batcher);
      await steps.reject({ transferId: ids[0], step: 'released' }, 'ledger.refused', batcher);
      await batches.settle({ n: 0, txId: again }, 'committed', batcher);
    });
    expect(await run(({ steps }) => steps.get({ transferId: ids[2], step: 'released' }))).toMatchObject({
      state: 'accepted',
      batch: 0,
      index: 0,
      leaf,
      evidence: undefined,
    });
    expect(await run(({ steps }) => steps.get({ transferId: ids[0], step: 'released' }))).toMatchObject({
      state: 'rejected',
      code: 'ledger.refused',
      index: undefined,
    });
    expect(await run(({ batches }) => batches.headless(10))).toMatchObject([{ n: 0, txId: again }]);
    await run(({ batches }) => batches.assignHead(0, 0, 7));
    expect(await run(({ batches }) => batches.headless(10))).toEqual([]);
    expect(await run(({ batches }) => batches.get(0))).toMatchObject({ head: 7, state: 'committed' });
    expect(await run(({ batches }) => batches.last())).toBe(0);
  });

  it('keeps each adoption of a transfer as a step of its own, and each once', async () => {
    const [transferId, first, second] = [uuid(), uuid(), uuid()];
    const adopted = (act: string): { transferId: string; step: string; act: string } => ({ transferId, step: 'adopted', act });
    const add = (act: string, leaf: string): Promise<boolean> =>
      run(({ steps }) => steps.add({ ...adopted(act), leaf, evidence: undefined }));
    expect([await add(first, 'a'), await add(second, 'b'), await add(first, 'c')]).toEqual([true, true, false]);
    await run(async ({ batches, steps }) => {
      await batches.put({ n: 70, txId: first, args: {} }, batcher);
      await steps.batch(70, [adopted(second), adopted(first)], batcher);
      await steps.accept(adopted(second), 0, batcher);
      await steps.reject(adopted(first), 'ledger.predecessor-missing', batcher);
      await batches.settle({ n: 70, txId: first }, 'invalid', batcher);
    });
    expect(await run(({ steps }) => steps.get(adopted(first)))).toMatchObject({ act: first, leaf: 'a', state: 'rejected' });
    expect(await run(({ steps }) => steps.get(adopted(second)))).toMatchObject({ act: second, leaf: 'b', state: 'accepted', index: 0 });
    expect(await run(({ steps }) => steps.get({ transferId, step: 'adopted' }))).toBeUndefined();
  });

  it('lets nobody settle a batch or a head but the open one of its transaction', async () => {
    const [old, young] = [uuid(), uuid()];
    await run(({ batches }) => batches.put({ n: 71, txId: old, args: {} }, batcher));
    await run(({ batches }) => batches.settle({ n: 71, txId: old }, 'invalid', batcher));
    await run(({ batches }) => batches.put({ n: 71, txId: young, args: {} }, batcher));
    // Who was frozen with the outcome of the old transaction at hand.
    await expect(run(({ batches }) => batches.settle({ n: 71, txId: old }, 'invalid', batcher))).rejects.toMatchObject({
      code: 'store.conflict',
    });
    expect(await run(({ batches }) => batches.get(71))).toMatchObject({ state: 'open', txId: young });
    await run(({ batches }) => batches.settle({ n: 71, txId: young }, 'invalid', batcher));
    const head = { seq: 71, txId: young, args: {}, size: 0, root: hash(0) };
    await run(({ heads }) => heads.put(head, sequencer));
    await expect(run(({ heads }) => heads.settle({ ...head, txId: old }, 'committed', sequencer))).rejects.toMatchObject({
      code: 'store.conflict',
    });
    await run(({ heads }) => heads.settle(head, 'invalid', sequencer));
  });

  it('keeps heads, and replaces an invalid one only', async () => {
    const head = { seq: 0, txId: uuid(), args: { x: 1 }, size: 5, root: hash(5) };
    expect(await run(({ heads }) => heads.last())).toBeUndefined();
    await run(({ heads }) => heads.put(head, sequencer));
    expect(await run(({ heads }) => heads.get(0))).toEqual({ ...head, state: 'open' });
    await run(({ heads }) => heads.settle(head, 'invalid', sequencer));
    expect(await run(({ heads }) => heads.last())).toBeUndefined();
    const second = { ...head, txId: uuid(), size: 6 };
    await run(({ heads }) => heads.put(second, sequencer));
    await expect(run(({ heads }) => heads.put(head, sequencer))).rejects.toMatchObject({ code: 'store.conflict' });
    await run(({ heads }) => heads.settle(second, 'committed', sequencer));
    expect(await run(({ heads }) => heads.last())).toEqual({ ...second, state: 'committed' });
  });

  it('appends log leaves in order without gaps', async () => {
    const events = [uuid(), uuid(), uuid()] as const;
    for (const [i, event] of events.entries()) await run(({ log }) => log.enqueue(event, hash(i)));
    await run(({ log }) => log.enqueue(events[0], hash(9)));
    expect((await run(({ log }) => log.queued(2))).map(({ eventId, leafHash }) => [eventId, leafHash])).toEqual([
      [events[0], hash(0)],
      [events[1], hash(1)],
    ]);
    expect(await run(({ log }) => log.size())).toBe(0);
    await expect(run(({ log }) => log.append(1, [{ eventId: events[0], leafHash: hash(0) }], sequencer))).rejects.toMatchObject({
      code: 'store.conflict',
    });
    await run(async ({ log }) => {
      await log.append(0, [{ eventId: events[0], leafHash: hash(0) }], sequencer);
      await log.append(1, [{ eventId: events[1], leafHash: hash(1) }], sequencer);
      await log.putNodes([
        { level: 0, index: 0, hash: hash(0) },
        { level: 1, index: 0, hash: hash(10) },
      ]);
    });
    await expect(run(({ log }) => log.append(1, [{ eventId: events[2], leafHash: hash(2) }], sequencer))).rejects.toMatchObject({
      code: 'store.conflict',
    });
    await expect(run(({ log }) => log.append(2, [{ eventId: events[1], leafHash: hash(1) }], sequencer))).rejects.toMatchObject({
      code: 'store.conflict',
    });
    expect(await run(({ log }) => log.size())).toBe(2);
    expect((await run(({ log }) => log.queued(10))).map(({ eventId }) => eventId)).toEqual([events[2]]);
    expect([await run(({ log }) => log.indexOf(events[1])), await run(({ log }) => log.indexOf(uuid()))]).toEqual([1, undefined]);
    const wanted = [
      { level: 1, index: 0 },
      { level: 5, index: 0 },
      { level: 0, index: 0 },
    ];
    expect(await run(({ log }) => log.nodes(wanted))).toEqual([hash(10), undefined, hash(0)]);
  });

  describe('fencing', () => {
    it.each([
      ['batch', async (tx: NotaryTx, n: number) => tx.batches.put({ n: 90, txId: uuid(), args: {} }, n), 'batcher'],
      ['steps', async (tx: NotaryTx, n: number) => tx.steps.batch(90, [], n), 'batcher'],
      ['settled batch', async (tx: NotaryTx, n: number) => tx.batches.settle({ n: 90, txId: uuid() }, 'invalid', n), 'batcher'],
      ['accepted step', async (tx: NotaryTx, n: number) => tx.steps.accept({ transferId: uuid(), step: 'released' }, 0, n), 'batcher'],
      ['refused step', async (tx: NotaryTx, n: number) => tx.steps.reject({ transferId: uuid(), step: 'released' }, 'c', n), 'batcher'],
      ['step put back', async (tx: NotaryTx, n: number) => tx.steps.again({ transferId: uuid(), step: 'released' }, 0, n), 'batcher'],
      ['settled head', async (tx: NotaryTx, n: number) => tx.heads.settle({ seq: 90, txId: uuid() }, 'invalid', n), 'sequencer'],
      [
        'head',
        async (tx: NotaryTx, n: number) => tx.heads.put({ seq: 90, txId: uuid(), args: {}, size: 0, root: hash(0) }, n),
        'sequencer',
      ],
      ['log', async (tx: NotaryTx, n: number) => tx.log.append(90, [{ eventId: uuid(), leafHash: hash(0) }], n), 'sequencer'],
      ['trail', async (tx: NotaryTx, n: number) => tx.trail.advance(90, n), 'indexer'],
    ] as const)('refuses a %s written under an older number', async (_, write, lease) => {
      const current = { batcher, sequencer, indexer }[lease];
      await expect(run((tx) => write(tx, current - 1))).rejects.toMatchObject({ code: 'store.fenced' });
      await expect(run((tx) => write(tx, current + 1))).rejects.toMatchObject({ code: 'store.fenced' });
    });

    it('lets a take-over wait for the write under way, and refuses the old holder after', async () => {
      const order: string[] = [];
      await ask(be.notary, "UPDATE notary.lease SET until = now() WHERE name = 'indexer'");
      const write = run(async ({ trail }) => {
        await trail.advance(0, indexer);
        await new Promise((resolve) => setTimeout(resolve, 150));
        order.push('written');
      });
      await new Promise((resolve) => setTimeout(resolve, 50));
      const taken = other.leases.acquire('indexer', 'other', 600_000).then((number) => {
        order.push('taken');
        return number;
      });
      await write;
      const number = (await taken)!;
      expect(order).toEqual(['written', 'taken']);
      await expect(run(({ trail }) => trail.advance(1, indexer))).rejects.toMatchObject({ code: 'store.fenced' });
      indexer = number;
    });
  });

  describe('trail', () => {
    const step = (block: number, position: number, over: Partial<TrailStep> = {}): TrailStep => ({
      block,
      position,
      at,
      org: 'BE',
      transferId: uuid(),
      step: 'released',
      from: 'BE',
      to: 'EE',
      permitId: undefined,
      purpose: 'TREAT',
      reason: undefined,
      late: false,
      batch: block,
      index: position,
      leaf: `leaf ${block}.${position}`,
      ...over,
    });

    it('is written block by block, and the same block twice changes nothing', async () => {
      const before = await run(({ trail }) => trail.checkpoint());
      const steps = [
        step(10, 0),
        step(10, 1, { to: 'PT', from: 'DE', org: 'DE' }),
        step(11, 0, { step: 'received', purpose: undefined, permitId: uuid() }),
      ];
      await run(async ({ trail }) => {
        await trail.putSteps(steps);
        await trail.putSteps(steps);
        await trail.putSteps([]);
        await trail.advance(11, indexer);
      });
      expect(before).toBeLessThan(11);
      expect(await run(({ trail }) => trail.checkpoint())).toBe(11);
      await expect(run(({ trail }) => trail.advance(11, indexer))).rejects.toMatchObject({ code: 'store.conflict' });
      expect(await run(({ trail }) => trail.steps({}, 10))).toEqual([...steps].reverse());
      expect(await run(({ trail }) => trail.steps({ country: 'DE' }, 10))).toEqual([steps[1]]);
      expect(await run(({ trail }) => trail.steps({ country: 'EE', purpose: 'TREAT', from: at }, 10))).toEqual([steps[0]]);
      expect(await run(({ trail }) => trail.steps({ to: at }, 10))).toEqual([]);
      expect(await run(({ trail }) => trail.steps({ transferId: steps[2]!.transferId, step: 'received' }, 10))).toEqual([steps[2]]);
      expect(await run(({ trail }) => trail.steps({}, 1, { ...steps[2]!, upTo: 11 }))).toEqual([steps[1]]);
      expect(await run(({ trail }) => trail.leaves('BE', 10))).toEqual(['leaf 10.0']);
    });

    it('tells what counts from what repeats it', async () => {
      const transferId = uuid();
      const rows = [
        step(20, 0, { transferId }),
        step(20, 1, { transferId, step: 'received', permitId: undefined, purpose: undefined }),
        step(21, 0, { transferId, step: 'expired', alarm: 'ledger.end-repeated' }),
        step(21, 1, { transferId, step: 'adopted' }),
      ];
      await run(({ trail }) => trail.putSteps(rows));
      expect(await run(({ trail }) => trail.counting([transferId, uuid()]))).toEqual(rows.slice(0, 2));
      expect(await run(({ trail }) => trail.steps({ transferId, alarm: 'true' }, 10))).toEqual([rows[2]]);
      expect(await run(({ trail }) => trail.steps({ transferId, step: 'expired', alarm: 'false' }, 10))).toEqual([]);
      expect(await run(({ trail }) => trail.steps({ transferId, org: 'XX' }, 10))).toEqual([]);
    });

    it('knows permits, keys and heads', async () => {
      const permit = { id: uuid(), custodian: 'EE', recipient: 'PT', purpose: 'TREAT', until: at };
      await run(({ trail }) => trail.putPermit({ ...permit, block: 3 }));
      expect(await run(({ trail }) => trail.permit(permit.id))).toEqual({ ...permit, endedAt: undefined });
      await run(({ trail }) => trail.endPermit(permit.id, at, 4));
      await run(({ trail }) => trail.endPermit(permit.id, '2027-01-01T00:00:00.000Z', 5));
      expect(await run(({ trail }) => trail.permit(permit.id))).toEqual({ ...permit, endedAt: at });
      expect(await run(({ trail }) => trail.permit(uuid()))).toBeUndefined();

      const key = { org: 'EE', kid: 'old', use: 'seal' as const, notBefore: '2026-01-01T00:00:00.000Z', notAfter: at, endedAt: undefined };
      const young = { ...key, kid: 'young', notBefore: '2026-02-01T00:00:00.000Z' };
      for (const one of [key, young, { ...key, kid: 'sign', use: 'sign' as const }, key]) await run(({ trail }) => trail.putKey(one));
      await run(({ trail }) => trail.endKey('EE', 'old', at));
      expect(await run(({ trail }) => trail.keys('EE', 'seal'))).toEqual([young, { ...key, endedAt: at }]);

      const head = { org: 'EE', seq: 1, txId: uuid(), block: 9, fromBatch: 3, toBatch: 5 };
      for (let time = 0; time < 2; time += 1) await run(({ trail }) => trail.putHead(head));
      expect(await run(({ trail }) => trail.headOf('EE', 4))).toEqual({ seq: 1, txId: head.txId, block: 9 });
      expect(await run(({ trail }) => trail.headOf('EE', 6))).toBeUndefined();
      expect(await run(({ trail }) => trail.headOf('PT', 4))).toBeUndefined();
    });
  });
});

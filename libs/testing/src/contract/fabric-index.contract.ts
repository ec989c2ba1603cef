import type { FabricIndexStore, IndexedBlock, IndexedTx, RefusedAct } from '@portolan/domain';
import { beforeEach, describe, expect, it } from 'vitest';

const hash = (n: number): string => n.toString(16).padStart(64, '0');
const uuid = (n: number): string => `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
const at = (n: number): string => new Date(1_795_000_000_000 + n * 1000).toISOString();
const bytes = (...values: number[]): Uint8Array => new Uint8Array(values);

/** Texts that a re-serialisation would change. */
const tx = (id: number, index: number, more: Partial<IndexedTx> = {}): IndexedTx => ({
  index,
  fabricId: hash(id * 100 + index),
  id: uuid(id),
  org: 'EE',
  role: 'notary',
  fn: 'put-permit',
  args: `{ "v":1,"x": 0.10, "é":"\\u00e9 ${String(id)}" }`,
  time: at(id),
  valid: true,
  verdicts: '',
  ...more,
});
const block = (number: number, ...transactions: IndexedTx[]): IndexedBlock => ({
  number,
  hash: hash(number),
  time: at(number),
  transactions,
});
const refused = (id: number, code: string): RefusedAct => ({
  ...{ id: uuid(id), fn: 'put-permit', args: '{ "v":1 }', code, where: 'put-permit until' },
  ...{ time: at(id), height: 3 },
});

/** What every implementation of the notary's index of a Fabric channel does; `make` gives a fresh, empty one for each test. */
export function fabricIndexContract(name: string, make: () => Promise<FabricIndexStore>): void {
  blocksContract(name, make);
  stateContract(name, make);
}

function blocksContract(name: string, make: () => Promise<FabricIndexStore>): void {
  describe(`${name}: FabricIndexStore, blocks and acts`, () => {
    let store: FabricIndexStore;
    beforeEach(async () => {
      store = await make();
    });

    it('starts empty', async () => {
      expect(await store.newest()).toBeUndefined();
      expect(await store.blocks(0, 10)).toEqual([]);
      expect(await store.find(uuid(1))).toEqual([]);
      expect(await store.read(['a'])).toEqual([undefined]);
      expect(await store.refusal(uuid(1))).toBeUndefined();
    });

    it('gives blocks back as they were, in order, from any number, as many as asked', async () => {
      const verdicts = '[{"n": 1.0}]';
      const chain = [
        block(0),
        block(1, tx(1, 0), tx(2, 4, { valid: false, code: 'ledger.read-conflict' })),
        block(2, tx(3, 0, { fn: 'put-head', envelope: bytes(0, 1, 255), verdicts })),
        block(3, tx(4, 0), tx(5, 1)),
      ];
      for (const one of chain) expect(await store.append(one, [])).toBe(true);
      expect(await store.newest()).toEqual({ number: 3, hash: hash(3), time: at(3) });
      expect(await store.blocks(0, 10)).toEqual(chain);
      expect(await store.blocks(1, 2)).toEqual(chain.slice(1, 3));
      expect(await store.blocks(4, 2)).toEqual([]);
    });

    it('takes only the next number, and writes nothing of a block it refuses', async () => {
      const write = (value: number) => [{ key: 'k', value: bytes(value) }];
      expect(await store.append(block(1, tx(1, 0)), write(1))).toBe(false);
      expect(await store.append(block(0, tx(1, 0)), write(2))).toBe(true);
      expect(await store.append(block(0, tx(2, 0)), write(3))).toBe(false);
      expect(await store.append(block(2, tx(2, 0)), write(4))).toBe(false);
      expect(await store.read(['k'])).toEqual([bytes(2)]);
      expect(await store.find(uuid(2))).toEqual([]);
    });

    it('lets one of several win', async () => {
      const won = await Promise.all([1, 2, 3, 4].map((id) => store.append(block(0, tx(id, 0)), [{ key: 'k', value: bytes(id) }])));
      expect(won.filter(Boolean)).toHaveLength(1);
      const winner = won.indexOf(true) + 1;
      expect((await store.blocks(0, 10)).flatMap(({ transactions }) => transactions.map(({ id }) => id))).toEqual([uuid(winner)]);
      expect(await store.read(['k'])).toEqual([bytes(winner)]);
    });

    it('finds an act by its id, valid ones first, then the newest, of every organisation', async () => {
      const invalid = { valid: false, code: 'ledger.read-conflict' };
      await store.append(block(0, tx(1, 0, invalid)), []);
      await store.append(block(1, tx(1, 0, { org: 'PT' }), tx(1, 1)), []);
      await store.append(block(2, tx(1, 0, invalid)), []);
      const found = await store.find(uuid(1));
      expect(found.map((one) => [one.block, one.index, one.org, one.valid])).toEqual([
        [1, 1, 'EE', true],
        [1, 0, 'PT', true],
        [2, 0, 'EE', false],
        [0, 0, 'EE', false],
      ]);
      expect(found[0]).toEqual({ ...tx(1, 1), block: 1 });
    });
  });
}

function stateContract(name: string, make: () => Promise<FabricIndexStore>): void {
  describe(`${name}: FabricIndexStore, values and refusals`, () => {
    let store: FabricIndexStore;
    beforeEach(async () => {
      store = await make();
    });

    it('keeps the newest value of a key, gives values in the order asked, and those that begin alike by key', async () => {
      const [a1, a2, B, empty] = [bytes(1, 0, 255), bytes(2), bytes(3), bytes()];
      await store.append(block(0), [
        { key: 'a/1', value: a1 },
        { key: 'a%', value: empty },
      ]);
      await store.append(block(1), [
        { key: 'a/1', value: a2 },
        { key: 'a/B', value: B },
        { key: 'b', value: B },
      ]);
      expect(await store.read(['b', 'a/1', 'none', 'a%', 'a/1'])).toEqual([B, a2, undefined, empty, a2]);
      expect(await store.startingWith('a/', 10)).toEqual([
        { key: 'a/1', value: a2 },
        { key: 'a/B', value: B },
      ]);
      expect(await store.startingWith('a', 2)).toHaveLength(2);
    });

    it('keeps a refusal, the first of two, also when it is emptied to be built again', async () => {
      await store.refuse(refused(1, 'ledger.permit-term'));
      await store.refuse(refused(1, 'ledger.not-owner'));
      await store.append(block(0, tx(1, 0)), [{ key: 'k', value: bytes(1) }]);
      await store.clear();
      expect(await store.refusal(uuid(1))).toEqual(refused(1, 'ledger.permit-term'));
      expect([await store.newest(), await store.blocks(0, 9), await store.read(['k'])]).toEqual([undefined, [], [undefined]]);
      expect(await store.append(block(0, tx(1, 0)), [])).toBe(true);
    });
  });
}

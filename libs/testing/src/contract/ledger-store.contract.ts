import type { ExecutedBlock, LedgerCopyStore, OrdererStore, SignedBlock, StateWrite, StoredAttestation } from '@portolan/domain';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';

const hex = (n: number): string => n.toString(16).padStart(64, '0');
const uuid = (n: number): string => `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
/** Text that a re-serialisation would change: white space, 0.10, an escaped and a raw letter. */
const exact = (n: number): string => `{ "v":1,"number":${n},  "x": 0.10, "é":"\\u00e9" }`;

const signed = (number: number, ...ids: readonly number[]): SignedBlock => ({
  number,
  header: `aGVhZGVy.${String(number)}.c2ln`,
  transactions: ids.map((id) => ({ id: uuid(id), jws: `dHg.${String(id)}.c2ln` })),
});

const executed = (number: number, ...ids: readonly number[]): ExecutedBlock => ({
  ...signed(number, ...ids),
  results: exact(number),
  resultsHash: hex(1000 + number),
  stateHash: hex(2000 + number),
  verdicts: ids.map((id, i) => (i === 0 ? '' : `[{"n": ${String(id)}.0}]`)),
});

const attestation = (block: number, org: string, digest: number): StoredAttestation => ({
  block,
  org,
  digest: hex(digest),
  jws: `YXR0.${org}${String(digest)}.c2ln`,
});

const write = (key: string, value: string): StateWrite => ({ key, value: bytes(value) });
const texts = (values: readonly (Uint8Array | undefined)[]): (string | undefined)[] =>
  values.map((value) => (value === undefined ? undefined : new TextDecoder().decode(value)));

/** Fresh, empty stores for each test; `close` ends what `make` started, once, after the last. */
export interface LedgerStoreMakers {
  readonly copy: () => Promise<LedgerCopyStore>;
  readonly orderer: () => Promise<OrdererStore>;
  readonly close?: () => Promise<void>;
}

/** What every implementation of the embedded ledger's two stores does. */
export function ledgerStoreContract(name: string, make: LedgerStoreMakers): void {
  afterAll(async () => make.close?.());
  chainContract(name, make.copy);
  stateContract(name, make.copy);
  ordererContract(name, make.orderer);
}

function chainContract(name: string, make: () => Promise<LedgerCopyStore>): void {
  describe(`${name}: LedgerCopyStore, the chain`, () => {
    let store: LedgerCopyStore;
    beforeEach(async () => {
      store = await make();
    });

    it('starts empty', async () => {
      expect(await store.height()).toBe(-1);
      expect(await store.blocks(0, 10)).toEqual([]);
      expect(await store.find(uuid(1))).toBeUndefined();
      expect(await store.read(['a'])).toEqual([undefined]);
      expect(await store.attestationCursor()).toBe(0);
      expect(await store.attestations(0, 9)).toEqual([]);
    });

    it('gives blocks back byte for byte, in order, from any number, as many as asked', async () => {
      const chain = [executed(0), executed(1, 1, 2), executed(2, 3), executed(3, 4, 5, 6)];
      for (const block of chain) expect(await store.append(block, [])).toBe(true);
      expect(await store.height()).toBe(3);
      expect(await store.blocks(0, 10)).toEqual(chain);
      expect(await store.blocks(1, 2)).toEqual(chain.slice(1, 3));
      expect(await store.blocks(4, 2)).toEqual([]);
      expect(await store.find(uuid(5))).toEqual({ block: 3, index: 1 });
    });

    it('takes only the next number, and writes nothing of a block it refuses', async () => {
      expect(await store.append(executed(1, 1), [write('k', 'early')])).toBe(false);
      expect(await store.append(executed(0, 1), [write('k', 'first')])).toBe(true);
      expect(await store.append(executed(0, 2), [write('k', 'again')])).toBe(false);
      expect(await store.append(executed(2, 3), [write('k', 'gap')])).toBe(false);
      expect(await store.height()).toBe(0);
      expect(texts(await store.read(['k']))).toEqual(['first']);
      expect(await store.find(uuid(2))).toBeUndefined();
      expect(await store.find(uuid(3))).toBeUndefined();
    });

    it('lets one of two racing writers win', async () => {
      await store.append(executed(0), []);
      const racers = Array.from({ length: 8 }, (_, i) => store.append(executed(1, i + 1), [write('winner', String(i))]));
      const wins = (await Promise.all(racers)).flatMap((won, i) => (won ? [i] : []));
      expect(wins).toHaveLength(1);
      expect(texts(await store.read(['winner']))).toEqual([String(wins[0])]);
      expect((await store.blocks(1, 9)).map((block) => block.transactions[0]?.id)).toEqual([uuid((wins[0] ?? -1) + 1)]);
    });
  });
}

function stateContract(name: string, make: () => Promise<LedgerCopyStore>): void {
  describe(`${name}: LedgerCopyStore, state and attestations`, () => {
    let store: LedgerCopyStore;
    beforeEach(async () => {
      store = await make();
    });

    it('reads state values in the order asked, also repeated, the newest of each', async () => {
      await store.append(executed(0, 1), [write('a', '1'), write('b', ''), { key: 'raw', value: new Uint8Array([0, 255, 10]) }]);
      await store.append(executed(1, 2), [write('a', '2'), write("quote'\\", 'q')]);
      expect(texts(await store.read(['b', 'a', 'missing', 'a', "quote'\\"]))).toEqual(['', '2', undefined, '2', 'q']);
      expect([...((await store.read(['raw']))[0] ?? [])]).toEqual([0, 255, 10]);
      expect(await store.read([])).toEqual([]);
    });

    it('tells keys apart by code unit', async () => {
      await store.append(executed(0), [write('p/A', 'upper'), write('p/a', 'lower'), write('p/a ', 'space')]);
      expect(texts(await store.read(['p/a', 'p/A', 'p/a ']))).toEqual(['lower', 'upper', 'space']);
    });

    it('reads and writes thousands of values at once', async () => {
      const keys = Array.from({ length: 5000 }, (_, i) => `k/${String(i)}`);
      const all = keys.map((key) => write(key, key));
      expect(await store.append(executed(0), all)).toBe(true);
      expect(texts(await store.read(keys))).toEqual(keys);
    });

    it('answers with the first place of an id that stands twice', async () => {
      await store.append(executed(0, 1, 1), []);
      await store.append(executed(1, 1), []);
      expect(await store.find(uuid(1))).toEqual({ block: 0, index: 0 });
      expect(await store.height()).toBe(1);
    });

    it('keeps attestations once each with the cursor, also of blocks ahead, and both of a country that says two things', async () => {
      await store.keepAttestations([attestation(7, 'PT', 2), attestation(5, 'EE', 1)], 12);
      await store.keepAttestations([{ ...attestation(5, 'EE', 1), jws: 'b3RoZXI.x.c2ln' }, attestation(5, 'EE', 9)], 14);
      expect(await store.attestationCursor()).toBe(14);
      expect(await store.attestations(5, 7)).toEqual([attestation(5, 'EE', 1), attestation(5, 'EE', 9), attestation(7, 'PT', 2)]);
      expect(await store.attestations(6, 6)).toEqual([]);
      await store.keepAttestations([], 15);
      expect(await store.attestationCursor()).toBe(15);
    });
  });
}

function ordererContract(name: string, make: () => Promise<OrdererStore>): void {
  describe(`${name}: OrdererStore`, () => {
    let store: OrdererStore;
    beforeEach(async () => {
      store = await make();
    });

    it('starts empty', async () => {
      expect(await store.height()).toBe(-1);
      expect(await store.blocks(0, 10)).toEqual([]);
      expect(await store.ordered([uuid(1)])).toEqual([]);
      expect(await store.attestationsAfter(0, 10)).toEqual([]);
      expect(await store.countAttestations(0, 'EE')).toBe(0);
    });

    it('gives blocks back byte for byte, in order, from any number, as many as asked', async () => {
      const chain = [signed(0), signed(1, 1, 2), signed(2, 3)];
      for (const block of chain) expect(await store.append(block)).toBe(true);
      expect(await store.height()).toBe(2);
      expect(await store.blocks(0, 10)).toEqual(chain);
      expect(await store.blocks(1, 1)).toEqual(chain.slice(1, 2));
      expect(await store.blocks(3, 1)).toEqual([]);
    });

    it('never has two blocks of one number', async () => {
      expect(await store.append(signed(1, 1))).toBe(false);
      const wins = await Promise.all(Array.from({ length: 6 }, (_, i) => store.append(signed(0, i + 1))));
      expect(wins.filter(Boolean)).toHaveLength(1);
      expect(await store.height()).toBe(0);
      expect(await store.blocks(0, 9)).toHaveLength(1);
    });

    it('orders a transaction id once', async () => {
      await store.append(signed(0, 1, 2));
      expect(await store.append(signed(1, 3, 2))).toBe(false);
      expect(await store.height()).toBe(0);
      expect([...(await store.ordered([uuid(3), uuid(2), uuid(1)]))].sort()).toEqual([uuid(1), uuid(2)]);
      expect(await store.append(signed(1, 3))).toBe(true);
    });

    it('numbers attestations in the order they came, one for each digest', async () => {
      expect(await store.addAttestation(attestation(1, 'EE', 1))).toBe(true);
      expect(await store.addAttestation(attestation(1, 'PT', 1))).toBe(true);
      expect(await store.addAttestation({ ...attestation(1, 'EE', 1), jws: 'b3RoZXI.x.c2ln' })).toBe(false);
      expect(await store.addAttestation(attestation(1, 'EE', 2))).toBe(true);
      const all = await store.attestationsAfter(0, 10);
      expect(all.map(({ seq: _, ...rest }) => rest)).toEqual([attestation(1, 'EE', 1), attestation(1, 'PT', 1), attestation(1, 'EE', 2)]);
      const seqs = all.map(({ seq }) => seq);
      expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
      expect(seqs[0]).toBeGreaterThan(0);
      expect(new Set(seqs).size).toBe(3);
      expect(await store.attestationsAfter(seqs[0] ?? 0, 1)).toEqual(all.slice(1, 2));
      expect(await store.attestationsAfter(seqs[2] ?? 0, 10)).toEqual([]);
      expect(await store.countAttestations(1, 'EE')).toBe(2);
      expect(await store.countAttestations(2, 'EE')).toBe(0);
    });
  });
}

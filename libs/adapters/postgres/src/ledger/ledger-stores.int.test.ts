import type { ExecutedBlock, OrdererStore, SignedBlock, StoredAttestation } from '@portolan/domain';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openNotaryDatabase, type NotaryDatabase } from '../notary/open-notary-database.js';
import { openOrdererDatabase, type OrdererStores } from '../orderer/open-orderer-database.js';
import { migrateOrderer } from '../provision/migrate-database.js';
import { provisionOrdererDatabase } from '../provision/provision.js';
import { AesDataKeys } from '../test-support/aes-data-keys.js';
import { uuid } from '../test-support/scratch.js';
import { testCluster } from '../test-support/test-cluster.js';

const hash = (n: number): string => n.toString(16).padStart(64, '0');
const block = (number: number, ids = [uuid(), uuid()]): ExecutedBlock => ({
  number,
  header: `header.${number}.x`,
  transactions: ids.map((id, i) => ({ id, jws: `jws.${number}.${i}` })),
  results: `{"results":  ${number}}`,
  resultsHash: hash(number),
  stateHash: hash(number + 1000),
  verdicts: ids.map((_, i) => (i === 0 ? '' : '[{"accepted": true}]')),
});
const bytes = (...values: number[]): Uint8Array => new Uint8Array(values);
const attestation = (number: number, org: string, digest: number): StoredAttestation => ({
  block: number,
  org,
  digest: hash(digest),
  jws: `${org}.${digest}.s`,
});

describe('a country’s copy of the embedded ledger', () => {
  let db: NotaryDatabase;
  let other: NotaryDatabase;

  beforeAll(async () => {
    const { notary } = await (await testCluster()).country('LV');
    [db, other] = await Promise.all([
      openNotaryDatabase({ address: notary }, new AesDataKeys()),
      openNotaryDatabase({ address: notary }, new AesDataKeys()),
    ]);
  });
  afterAll(async () => {
    await Promise.all([db.close(), other.close()]);
  });

  it('grows by the next block alone, with its state, as a whole', async () => {
    const { ledger } = db;
    expect([await ledger.height(), await ledger.blocks(0, 10), await ledger.read(['a'])]).toEqual([-1, [], [undefined]]);
    const blocks = [block(0), block(1, []), block(2)] as const;
    expect(await ledger.append(blocks[1], [])).toBe(false);
    expect(
      await ledger.append(blocks[0], [
        { key: 'a', value: bytes(1, 0, 255) },
        { key: 'b', value: bytes() },
      ]),
    ).toBe(true);
    expect(await ledger.append(block(0), [{ key: 'a', value: bytes(9) }])).toBe(false);
    expect(await ledger.append(blocks[1], [{ key: 'B', value: bytes(3) }])).toBe(true);
    expect(await ledger.append(blocks[2], [{ key: 'a', value: bytes(2) }])).toBe(true);
    expect(await ledger.height()).toBe(2);
    expect(await ledger.read(['B', 'a', 'none', 'b', 'a'])).toEqual([bytes(3), bytes(2), undefined, bytes(), bytes(2)]);
    expect(await ledger.blocks(0, 10)).toEqual(blocks);
    expect(await ledger.blocks(1, 1)).toEqual([blocks[1]]);
    const [, second] = blocks[2].transactions;
    expect(await ledger.find(second!.id)).toEqual({ block: 2, index: 1 });
    expect(await ledger.find(uuid())).toBeUndefined();
    const repeated = block(3, [blocks[0].transactions[0]!.id]);
    expect(await ledger.append(repeated, [])).toBe(true);
    expect(await ledger.find(repeated.transactions[0]!.id)).toEqual({ block: 0, index: 0 });
  });

  it('lets one of those win who append the same block, and writes nothing of the others', async () => {
    const number = (await db.ledger.height()) + 1;
    const rivals = Array.from({ length: 6 }, () => block(number));
    const won = await Promise.all(
      rivals.map((one, i) => (i % 2 === 0 ? db : other).ledger.append(one, [{ key: 'winner', value: bytes(i) }])),
    );
    expect(won.filter(Boolean).length).toBe(1);
    const winner = won.indexOf(true);
    expect(await db.ledger.blocks(number, 1)).toEqual([rivals[winner]]);
    expect(await db.ledger.read(['winner'])).toEqual([bytes(winner)]);
    expect(await db.ledger.find(rivals[(winner + 1) % 6]!.transactions[0]!.id)).toBeUndefined();
  });

  it('reads ten thousand keys at once', async () => {
    const keys = Array.from({ length: 10_000 }, (_, i) => `key/${i}`);
    const number = (await db.ledger.height()) + 1;
    await db.ledger.append(
      block(number),
      keys.map((key, i) => ({ key, value: bytes(i % 256) })),
    );
    expect(await db.ledger.read(keys)).toEqual(keys.map((_, i) => bytes(i % 256)));
  });

  it('keeps attestations once, of blocks to come too, with the cursor', async () => {
    expect(await db.ledger.attestationCursor()).toBe(0);
    const [a, b, c] = [attestation(5, 'PT', 2), attestation(5, 'EE', 3), attestation(99, 'EE', 1)];
    await db.ledger.keepAttestations([a, b, c], 7);
    await other.ledger.keepAttestations([{ ...a, jws: 'another signature' }, attestation(5, 'EE', 1)], 9);
    await db.ledger.keepAttestations([], 8);
    expect(await db.ledger.attestationCursor()).toBe(9);
    expect(await db.ledger.attestations(5, 98)).toEqual([attestation(5, 'EE', 1), b, a]);
    expect(await db.ledger.attestations(99, 99)).toEqual([c]);
  });
});

describe('the orderer’s rows', () => {
  let orderer: OrdererStores;
  let second: OrdererStores;
  let store: OrdererStore;

  beforeAll(async () => {
    const { admin, cluster } = await testCluster();
    const database = await provisionOrdererDatabase(admin, 'orderer', (user) => cluster.passwordOf(user));
    await migrateOrderer(database);
    [orderer, second] = await Promise.all([
      openOrdererDatabase({ address: database.orderer }),
      openOrdererDatabase({ address: database.orderer }),
    ]);
    ({ store } = orderer);
    await orderer.ping();
  });
  afterAll(async () => {
    await Promise.all([orderer.close(), second.close()]);
  });
  const signed = ({ number, header, transactions }: ExecutedBlock): SignedBlock => ({ number, header, transactions });

  it('take the next block alone, and no transaction twice', async () => {
    const [first, next] = [signed(block(0)), signed(block(1))];
    expect([await store.height(), await store.append(next), await store.append(first)]).toEqual([-1, false, true]);
    const repeats = signed(block(1, [uuid(), first.transactions[1]!.id]));
    expect(await store.append(repeats)).toBe(false);
    const rivals = [next, ...Array.from({ length: 5 }, () => signed(block(1)))];
    const won = await Promise.all(rivals.map((one, i) => (i % 2 === 0 ? orderer : second).store.append(one)));
    expect(won.filter(Boolean).length).toBe(1);
    expect(await store.blocks(0, 10)).toEqual([first, rivals[won.indexOf(true)]]);
    expect(await store.height()).toBe(1);
    expect(await store.ordered([uuid(), first.transactions[0]!.id, repeats.transactions[0]!.id])).toEqual([first.transactions[0]!.id]);
  });

  it('number attestations so that a reader misses none', async () => {
    const all = Array.from({ length: 40 }, (_, i) => attestation(i % 4, `C${i % 5}`, i));
    const seen: number[] = [];
    const read = async (): Promise<void> => {
      for (const { seq } of await store.attestationsAfter(seen.at(-1) ?? 0, 7)) seen.push(seq);
    };
    const adds = all.map((one, i) => (i % 2 === 0 ? orderer : second).store.addAttestation(one));
    for (let i = 0; i < 10; i += 1) await read();
    expect(await Promise.all(adds)).toEqual(all.map(() => true));
    for (let i = 0; i < 8; i += 1) await read();
    expect(seen.length).toBe(40);
    expect(await store.addAttestation({ ...all[0]!, jws: 'again' })).toBe(false);
    expect(await store.countAttestations(0, 'C0')).toBe(2);
    const [one] = await store.attestationsAfter(0, 1);
    expect(all).toContainEqual({ block: one!.block, org: one!.org, digest: one!.digest, jws: one!.jws });
  });
});

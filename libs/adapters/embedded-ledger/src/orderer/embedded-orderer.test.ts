import { canonicalJson } from '@portolan/contracts';
import { OrdererStore, type SignedBlock } from '@portolan/domain';
import { decodeJws } from '@portolan/verify';
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { limits } from '../chain/limits.js';
import { typ } from '../chain/transaction.js';
import { MemoryLedgerCopyStore } from '../copy/memory-stores.js';
import { eventually, PairSigner, TestChannel } from '../test-support.js';
import { EmbeddedOrderer } from './embedded-orderer.js';
import { Queue } from './queue.js';

/** A store in which the next append fails, before or after the rows were written. */
class FailingStore extends OrdererStore {
  fail: 'before' | 'after' | undefined;
  constructor(private readonly inner: OrdererStore) {
    super();
  }
  async append(block: SignedBlock): Promise<boolean> {
    const fail = this.fail;
    this.fail = undefined;
    if (fail === 'before') throw new Error('the database went away');
    const kept = await this.inner.append(block);
    if (fail === 'after') throw new Error('the database went away');
    return kept;
  }
  height = () => this.inner.height();
  blocks = (from: number, limit: number) => this.inner.blocks(from, limit);
  ordered = (ids: readonly string[]) => this.inner.ordered(ids);
  addAttestation = (attestation: Parameters<OrdererStore['addAttestation']>[0]) => this.inner.addAttestation(attestation);
  attestationsAfter = (seq: number, limit: number) => this.inner.attestationsAfter(seq, limit);
  countAttestations = (block: number, org: string) => this.inner.countAttestations(block, org);
}

describe('the orderer', () => {
  let channel: TestChannel;
  const started: EmbeddedOrderer[] = [];

  const start = async (store: OrdererStore = channel.ordererStore, cutAfterMs = 30): Promise<EmbeddedOrderer> => {
    const orderer = await EmbeddedOrderer.start({
      genesis: channel.genesis,
      store,
      copy: new MemoryLedgerCopyStore(),
      signer: new PairSigner(channel.regulator.ledger),
      clock: channel.clock,
      validators: TestChannel.validators,
      ...(cutAfterMs === 0 ? {} : { cutAfterMs }),
      onTrouble: (error) => channel.troubles.push(error),
    });
    started.push(orderer);
    return orderer;
  };
  const signed = async (org: string, more: object = {}, signer = channel.org(org).ledger): Promise<string> => {
    const { id, fn, args } = channel.permit(org, org === 'EE' ? 'PT' : 'EE');
    const payload = { v: 1, channel: 'trial', org, role: 'notary', id, time: channel.clock.in(0), fn, args, ...more };
    return new PairSigner(signer).sign('ledger', typ('transaction'), canonicalJson(payload));
  };
  const chain = (): string[][] => channel.ordererStore.chain.map(({ transactions }) => transactions.map(({ id }) => id));

  beforeEach(async () => {
    channel = await TestChannel.make();
  });
  afterEach(async () => {
    await Promise.all(started.splice(0).map((orderer) => orderer.close()));
  });

  it('makes block 0 of the genesis once, and goes on from there after a restart', async () => {
    await (await start()).submit(await signed('EE'));
    const before = [...channel.ordererStore.chain];
    await (await start()).submit(await signed('PT'));
    expect(channel.ordererStore.chain.slice(0, 2)).toEqual(before);
    expect(chain().map(({ length }) => length)).toEqual([10, 1, 1]);
  });

  it('refuses a store that holds another channel', async () => {
    await start();
    channel = Object.assign(await TestChannel.make(), { ordererStore: channel.ordererStore });
    await expect(start()).rejects.toMatchObject({ code: 'orderer.genesis-mismatch' });
  });

  it('puts what comes within 200 ms into one block, and acknowledges when it is kept', async () => {
    const orderer = await start(channel.ordererStore, 0);
    const begun = performance.now();
    await Promise.all([...(await Promise.all(['EE', 'PT', 'BE', 'DE'].map((org) => signed(org))))].map((jws) => orderer.submit(jws)));
    expect(performance.now() - begun).toBeGreaterThanOrEqual(limits.cutAfterMs - 5);
    expect(chain()[1]).toHaveLength(4);
  });

  const refused: readonly [string, () => Promise<string>, string][] = [
    ['what is no JWS', async () => 'hello', 'ledger.transaction-malformed'],
    [
      'a JWS of another kind',
      async () => new PairSigner(channel.org('EE').ledger).sign('ledger', typ('attestation'), '{}'),
      'ledger.transaction-malformed',
    ],
    ['another channel', async () => signed('EE', { channel: 'other' }), 'ledger.transaction-malformed'],
    ['an unknown version', async () => signed('EE', { v: 2 }), 'ledger.transaction-malformed'],
    ['more than 1 MB', async () => signed('EE', { args: { text: 'x'.repeat(800_000) } }), 'orderer.too-large'],
    ["another organisation's transaction", async () => signed('PT'), 'orderer.foreign-transaction'],
    [
      "another's signature",
      async () => signed('EE', {}, { ...channel.org('EE').ledger, sign: channel.org('PT').ledger.sign }),
      'verify.signature-invalid',
    ],
    ["another's key", async () => signed('EE', {}, channel.org('PT').ledger), 'ledger.key-unknown'],
    ['the governance key for a notary act', async () => signed('EE', {}, channel.org('EE').governance), 'ledger.key-unknown'],
    ['a time of three minutes ago', async () => signed('EE', { time: channel.clock.in(-180_000) }), 'orderer.time-window'],
    ['a time ahead', async () => signed('EE', { time: channel.clock.in(180_000) }), 'orderer.time-window'],
  ];
  it.each(refused)('lets nothing in but live signed transactions of the caller: %s', async (_, make, code) => {
    const orderer = await start();
    await expect(orderer.submit(await make(), 'EE')).rejects.toMatchObject({ code });
    expect(chain()).toHaveLength(1);
  });

  it('orders the same id once, in one block and over blocks', async () => {
    const orderer = await start();
    const id = randomUUID();
    await Promise.all([
      orderer.submit(await signed('EE', { id })),
      orderer.submit(await signed('EE', { id })),
      orderer.submit(await signed('PT')),
    ]);
    await orderer.submit(await signed('EE', { id }));
    expect(
      chain()
        .slice(1)
        .flat()
        .filter((one) => one === id),
    ).toEqual([id]);
    expect(chain()).toHaveLength(2);
  });

  it.each(['before', 'after'] as const)('has each id once when the store fails %s it has written', async (fail) => {
    const store = new FailingStore(channel.ordererStore);
    const orderer = await start(store);
    const jws = await signed('EE');
    store.fail = fail;
    await expect(orderer.submit(jws)).rejects.toMatchObject({ code: 'ledger.unreachable' });
    await orderer.submit(jws);
    await orderer.submit(await signed('PT'));
    expect(chain().slice(1).flat()).toHaveLength(2);
    expect(channel.ordererStore.chain.map(({ number }) => number)).toEqual(channel.ordererStore.chain.map((_, i) => i));
  });

  it('never makes two blocks of one number, even where two of them run', async () => {
    const [one, two] = [await start(), await start()];
    const jwss = await Promise.all(Array.from({ length: 12 }, () => signed('EE')));
    const insist = async (orderer: EmbeddedOrderer, jws: string): Promise<void> => {
      await orderer.submit(jws).catch((error: unknown) => {
        expect(error).toMatchObject({ code: 'orderer.chain-forked' });
        return insist(orderer, jws);
      });
    };
    await Promise.all(jwss.map((jws, i) => insist(i % 2 === 0 ? one : two, jws)));
    const headers = channel.ordererStore.chain.map(({ header }) => JSON.parse(decodeJws(header).payload) as { number: number });
    expect(headers.map(({ number }) => number)).toEqual(headers.map((_, i) => i));
    expect(chain().slice(1).flat()).toHaveLength(12);
  });

  it('hands back what waits when it stops', async () => {
    const orderer = await start();
    const waiting = expect(orderer.submit(await signed('EE'))).rejects.toMatchObject({ code: 'ledger.unreachable' });
    await new Promise((resolve) => setTimeout(resolve, 5));
    await orderer.close();
    await waiting;
    await expect(orderer.submit(await signed('EE'))).rejects.toMatchObject({ code: 'ledger.unreachable' });
  });

  it('dates a block like its predecessor where its clock went back', async () => {
    const orderer = await start();
    await orderer.submit(await signed('EE'));
    channel.clock.ahead = -60_000;
    await orderer.submit(await signed('EE'));
    const times = channel.ordererStore.chain.map(({ header }) => (JSON.parse(decodeJws(header).payload) as { time: string }).time);
    expect(times[2]).toBe(times[1]);
  });

  it('takes attestations of their own country alone, on blocks that were distributed, and not without end', async () => {
    const orderer = await start();
    const statement = {
      v: 1,
      channel: 'trial',
      org: 'EE',
      number: 0,
      headerHash: 'a'.repeat(64),
      resultsHash: 'b'.repeat(64),
      stateHash: 'c'.repeat(64),
    };
    const said = async (more: object = {}, pair = channel.org('EE').ledger): Promise<string> =>
      new PairSigner(pair).sign('ledger', typ('attestation'), canonicalJson({ ...statement, ...more }));
    const rows: readonly [Promise<string>, string][] = [
      [said({ org: 'PT' }), 'orderer.foreign-transaction'],
      [said({}, channel.org('PT').ledger), 'orderer.attestation-invalid'],
      [said({}, channel.org('EE').governance), 'orderer.attestation-invalid'],
      [said({ number: 1 }), 'orderer.attestation-invalid'],
      [said({ channel: 'other' }), 'orderer.attestation-invalid'],
      [signed('EE'), 'verify.payload-malformed'],
    ];
    for (const [jws, code] of rows) await expect(orderer.attest([await jws], 'EE')).rejects.toMatchObject({ code });
    for (const c of ['1', '2', '3']) await orderer.attest([await said({ stateHash: c.repeat(64) })], 'EE');
    await expect(orderer.attest([await said()], 'EE')).rejects.toMatchObject({ code: 'orderer.attestation-invalid' });
    expect((await orderer.attestations(0, 0)).map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });

  it('answers a long poll when a block comes, and empty after the wait', async () => {
    const orderer = await start();
    expect(await orderer.blocks(1, 30)).toEqual([]);
    const polled = orderer.blocks(1, 5_000);
    await orderer.submit(await signed('EE'));
    expect(await polled).toHaveLength(1);
    expect(await eventually(async () => (await orderer.blocks(0, 0)).length)).toBe(2);
  });
});

describe('the queue', () => {
  const jws = 'x'.repeat(1000);

  it('is bounded by count and by characters, and says that it is busy', () => {
    const byCount = new Queue();
    for (let i = 0; i < limits.queueTransactions; i += 1) void byCount.add(String(i), 'x');
    expect(() => byCount.add('more', 'x')).toThrow(expect.objectContaining({ code: 'orderer.busy' }) as Error);
    void byCount.add('1', 'x');
    const byChars = new Queue();
    for (let i = 0; i < 32; i += 1) void byChars.add(String(i), 'x'.repeat(1_000_000));
    expect(() => byChars.add('more', jws)).toThrow(expect.objectContaining({ code: 'orderer.busy' }) as Error);
  });

  it('cuts at 500 transactions or 4 MB, oldest first, and never none', () => {
    const queue = new Queue();
    for (let i = 0; i < 501; i += 1) void queue.add(String(i), jws);
    expect(queue.dueIn()).toBe(0);
    expect(queue.next().map(({ id }) => id)).toEqual(Array.from({ length: 500 }, (_, i) => String(i)));
    queue.settle(queue.next());
    expect(queue.size).toBe(1);
    const large = new Queue();
    for (let i = 0; i < 5; i += 1) void large.add(String(i), 'x'.repeat(1_900_000));
    expect(large.dueIn()).toBe(0);
    expect(large.next()).toHaveLength(2);
  });
});

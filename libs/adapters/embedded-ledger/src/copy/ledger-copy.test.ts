import { canonicalJson, type OrderedBlock } from '@portolan/contracts';
import { keysOf, keyText, names } from '@portolan/ledger-rules';
import { hexOf, utf8 } from '@portolan/verify';
import { randomUUID } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { headerText, tipBefore, type Tip } from '../chain/block.js';
import { readGenesis } from '../chain/genesis.js';
import { nodeTools } from '../chain/tools.js';
import { typ } from '../chain/transaction.js';
import { committedBlock } from '../peer/committed.js';
import { newPair, PairSigner, TestChannel, type Pair } from '../test-support.js';
import { LedgerCopy } from './ledger-copy.js';
import { MemoryLedgerCopyStore } from './memory-stores.js';

const tools = nodeTools(TestChannel.validators);

describe('a copy', () => {
  let channel: TestChannel;
  let copy: LedgerCopy;
  let store: MemoryLedgerCopyStore;
  let genesisBlock: OrderedBlock;

  /** A block as an orderer would sign it, right or wrong: `change` alters the header before it is signed. */
  const block = async (
    tip: Tip,
    jwss: readonly string[],
    change: object = {},
    pair: Pair = channel.regulator.ledger,
  ): Promise<OrderedBlock> => {
    const right = JSON.parse(headerText('trial', tip, jwss, channel.clock.in(0), tools)) as object;
    const header = await new PairSigner(pair).sign('ledger', typ('block-header'), canonicalJson({ ...right, ...change }));
    return { header, transactions: [...jwss] };
  };
  const tipNow = async (): Promise<Tip> => {
    const facts = await copy.facts(await store.height());
    return { number: facts!.number, hash: facts!.headerHash, time: facts!.time };
  };
  const notaryAct = async (org: string, fn: string, args: unknown, more: object = {}, pair = channel.org(org).ledger): Promise<string> => {
    const payload = { v: 1, channel: 'trial', org, role: 'notary', id: randomUUID(), time: channel.clock.in(0), fn, args, ...more };
    return new PairSigner(pair).sign('ledger', typ('transaction'), canonicalJson(payload));
  };
  const permitBy = async (org: string, more: object = {}, pair?: Pair): Promise<string> =>
    notaryAct(org, 'put-permit', channel.permit(org, org === 'EE' ? 'PT' : 'EE').args, more, pair);
  /** Outcome codes of the newest block: 'valid' or why not. */
  const outcomes = (): string[] => committedBlock(store.chain.at(-1)!).transactions.map((tx) => tx.code ?? 'valid');

  beforeAll(async () => {
    channel = await TestChannel.make();
    const genesis = readGenesis(channel.genesis, tools);
    genesisBlock = await block(tipBefore(genesis), genesis.transactions, { time: genesis.time });
  });
  beforeEach(async () => {
    store = new MemoryLedgerCopyStore();
    copy = new LedgerCopy(store, readGenesis(channel.genesis, tools), tools);
    await copy.open();
    await copy.take(0, [genesisBlock]);
  });

  it('begins with exactly the genesis, all of its acts valid', () => {
    expect(outcomes()).toEqual(Array.from({ length: 10 }, () => 'valid'));
  });

  it('comes to the same hashes wherever it is executed, and remembers them over a restart', async () => {
    const first = await block(await tipNow(), [await permitBy('EE'), await permitBy('PT')]);
    await copy.take(1, [first]);
    const other = new MemoryLedgerCopyStore();
    const restarted = new LedgerCopy(other, copy.genesis, tools);
    await restarted.take(0, [genesisBlock]);
    await new LedgerCopy(other, copy.genesis, tools).take(1, [first]);
    expect(other.chain).toEqual(store.chain);
    expect([...other.state].sort()).toEqual([...store.state].sort());
    expect(new Set(store.chain.map(({ stateHash }) => stateHash)).size).toBe(2);
  });

  it("refuses another channel's chain", async () => {
    const another = readGenesis((await TestChannel.make(['EE', 'PT'])).genesis, tools);
    await expect(new LedgerCopy(store, another, tools).open()).rejects.toMatchObject({ code: 'orderer.genesis-mismatch' });
  });

  const wrongHeaders: readonly [string, object, string][] = [
    ['a number left out', { number: 2 }, 'number'],
    ['a number again', { number: 0 }, 'number'],
    ['another predecessor', { previous: 'b'.repeat(64) }, 'previous'],
    ['another root', { txRoot: 'b'.repeat(64) }, 'txRoot'],
    ['another count', { count: 2 }, 'count'],
    ['another channel', { channel: 'other' }, 'channel'],
    ['a time before its predecessor', { time: '2020-01-01T00:00:00.000Z' }, 'time'],
    ['a field too many', { more: 1 }, 'verify.payload-malformed'],
  ];
  it.each(wrongHeaders)('takes no block with %s', async (_, change, place) => {
    const wrong = await block(await tipNow(), [await permitBy('EE')], change);
    await expect(copy.take(1, [wrong])).rejects.toMatchObject({ code: 'orderer.block-invalid', where: `block 1 ${place}` });
    expect(await store.height()).toBe(0);
    await copy.take(await copy.next(), [await block(await tipNow(), [await permitBy('EE')])]);
    expect(await store.height()).toBe(1);
  });

  it('takes no block that was changed after it was signed, or signed by another', async () => {
    const tip = await tipNow();
    const jwss = [await permitBy('EE'), await permitBy('PT')];
    const right = await block(tip, jwss);
    const cases: readonly [OrderedBlock, string][] = [
      [{ ...right, transactions: [jwss[1]!, jwss[0]!] }, 'txRoot'],
      [{ ...right, transactions: [jwss[0]!, await permitBy('PT')] }, 'txRoot'],
      [{ ...right, transactions: [jwss[0]!] }, 'txRoot'],
      [{ ...right, header: `${right.header.slice(0, -4)}AAAA` }, 'verify.signature-invalid'],
      [{ ...right, header: jwss[0]! }, 'verify.jws-malformed'],
      [await block(tip, jwss, {}, await newPair()), 'verify.signature-invalid'],
      [await block(tip, ['x.y.z']), 'ledger.transaction-malformed'],
    ];
    for (const [wrong, place] of cases) {
      await expect(copy.take(1, [wrong])).rejects.toMatchObject({ code: 'orderer.block-invalid', where: `block 1 ${place}` });
    }
    await copy.take(1, [right]);
    expect(outcomes()).toEqual(['valid', 'valid']);
  });

  it('takes no block 0 but that of its own genesis', async () => {
    const empty = new LedgerCopy(new MemoryLedgerCopyStore(), copy.genesis, tools);
    const fewer = await block(tipBefore(copy.genesis), copy.genesis.transactions.slice(1), { time: copy.genesis.time });
    await expect(empty.take(0, [fewer])).rejects.toMatchObject({ where: 'block 0 genesis transactions' });
    const later = await block(tipBefore(copy.genesis), copy.genesis.transactions);
    await expect(empty.take(0, [later])).rejects.toMatchObject({ where: 'block 0 time' });
  });

  it('judges for itself what a dishonest orderer lets through', async () => {
    const id = randomUUID();
    const rows: readonly [string, string][] = [
      [await permitBy('EE', { id }), 'valid'],
      [await permitBy('PT', { id }), 'orderer.transaction-duplicate'],
      [await permitBy('EE', { time: channel.clock.in(-121_000) }), 'orderer.time-window'],
      [await permitBy('EE', { time: channel.clock.in(125_000) }), 'orderer.time-window'],
      [await permitBy('EE', {}, channel.org('PT').ledger), 'ledger.key-unknown'],
      [await permitBy('EE', {}, { ...channel.org('EE').ledger, sign: channel.org('PT').ledger.sign }), 'verify.signature-invalid'],
      [await permitBy('EE', { role: 'governance' }), 'ledger.key-unknown'],
      [await permitBy('EE', {}, channel.org('EE').governance), 'ledger.key-unknown'],
      [await permitBy('EE', {}, channel.org('EE').tls), 'ledger.key-unknown'],
      [await permitBy('EE', { org: 'FI' }), 'ledger.participant-unknown'],
      [await notaryAct('EE', 'no-such-act', {}), 'ledger.rule-unknown'],
      [await notaryAct('EE', 'put-permit', { v: 1 }), 'ledger.args-invalid'],
      [await notaryAct('EE', 'admit-organisation', {}), 'ledger.role-refused'],
    ];
    await copy.take(1, [
      await block(
        await tipNow(),
        rows.map(([jws]) => jws),
      ),
    ]);
    expect(outcomes()).toEqual(rows.map(([, code]) => code));
    await copy.take(await copy.next(), [await block(await tipNow(), [await permitBy('PT', { id })])]);
    expect(outcomes()).toEqual(['orderer.transaction-duplicate']);
    expect(await store.find(id)).toEqual({ block: 1, index: 0 });
  });

  it('ends a key within the block that ends it: what stands before is valid, what stands after is not', async () => {
    const { jws: end } = await channel.registryAct('EE', { fn: 'end-key', args: { v: 1, org: 'EE', kid: channel.org('EE').ledger.kid } });
    await copy.take(await copy.next(), [await block(await tipNow(), [await permitBy('EE'), end, await permitBy('EE')])]);
    expect(outcomes()).toEqual(['valid', 'valid', 'ledger.key-not-valid']);
    await copy.take(await copy.next(), [await block(await tipNow(), [await permitBy('EE')])]);
    expect(outcomes()).toEqual(['ledger.key-not-valid']);
  });

  it('shows a value that was altered behind its back in the next block that reads it', async () => {
    const altered = new MemoryLedgerCopyStore();
    const other = new LedgerCopy(altered, copy.genesis, tools);
    await other.take(0, [genesisBlock]);
    const [open, owned] = keysOf(names.participant('PT')).map(keyText);
    const forged = utf8(canonicalJson({ v: 1, by: 'PT', at: copy.genesis.time, record: { v: 1, org: 'PT', kind: 'regulator' } }));
    altered.state.set(open!, forged);
    altered.state.set(owned!, utf8(hexOf(tools.sha256(forged))));
    const next = await block(await tipNow(), [await permitBy('EE')]);
    await Promise.all([copy.take(1, [next]), other.take(1, [next])]);
    expect(altered.chain[1]!.resultsHash).toBe(store.chain[1]!.resultsHash);
    expect(altered.chain[1]!.stateHash).not.toBe(store.chain[1]!.stateHash);
  });

  it('refuses every act that rests on a record whose public bytes alone were altered', async () => {
    store.state.set(keyText(keysOf(names.participant('PT'))[0]), utf8('{}'));
    await copy.take(await copy.next(), [await block(await tipNow(), [await permitBy('EE')])]);
    expect(outcomes()).toEqual(['ledger.record-forged']);
  });

  it('leaves the other process of its organisation the block it appended first', async () => {
    const next = await block(await tipNow(), [await permitBy('EE')]);
    const twin = new LedgerCopy(store, copy.genesis, tools);
    await Promise.all([copy.take(1, [next]), twin.take(1, [next])]);
    expect(await store.height()).toBe(1);
    for (const number of [2, 3]) await twin.take(number, [await block(await tipNow(), [await permitBy('EE')])]);
    await copy.take(2, [next]);
    await copy.take(4, [await block(await tipNow(), [await permitBy('EE')])]);
    expect(await store.height()).toBe(4);
  });
});

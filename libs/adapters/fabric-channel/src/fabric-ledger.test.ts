import { canonicalJson } from '@portolan/contracts';
import type { CommittedTx } from '@portolan/domain';
import { names, recordWrites } from '@portolan/ledger-rules';
import { common, peer } from '@hyperledger/fabric-protos';
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FabricLedger } from './fabric-ledger.js';
import { MemoryFabricIndexStore } from './index/memory-fabric-index-store.js';
import { FakeChannel, type FakeClient } from './test-support/fake-channel.js';

const { VALID, MVCC_READ_CONFLICT, ENDORSEMENT_POLICY_FAILURE } = peer.TxValidationCode;
const day = 86_400_000;

describe('a Fabric channel behind the port Ledger', () => {
  let channel: FakeChannel;
  let client: FakeClient;
  let store: MemoryFabricIndexStore;
  let ledger: FabricLedger;
  const troubles: unknown[] = [];
  const opened: FabricLedger[] = [];

  const open = async (org = 'EE', at = channel.clientOf(org), into = new MemoryFabricIndexStore()): Promise<FabricLedger> => {
    const one = await FabricLedger.open({
      ...{ org, channel: 'trial', store: into, clock: channel.clock, client: at },
      onTrouble: (error) => troubles.push(error),
    });
    opened.push(one);
    return one;
  };
  beforeEach(async () => {
    channel = new FakeChannel();
    client = channel.clientOf('EE');
    store = new MemoryFabricIndexStore();
    ledger = await open('EE', client, store);
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((one) => one.close()));
    troubles.length = 0;
  });

  const permit = (custodian = 'EE', recipient = 'PT') => {
    const args = {
      v: 1,
      id: randomUUID(),
      custodian,
      recipient,
      purpose: 'TREAT',
      until: channel.clock.instant(day),
      commitment: 'a'.repeat(64),
    };
    return { id: randomUUID(), fn: 'put-permit', args };
  };
  const settled = async (id: string, at = ledger): Promise<CommittedTx> => eventually(() => at.outcome(id));
  const caughtUp = (at = ledger) => eventually(async () => ((await at.height()) === channel.chain.length - 1 ? true : undefined));
  const triesInBlocks = async (id: string): Promise<(string | true)[]> => {
    await caughtUp();
    const blocks = await ledger.blocks(0, 1000);
    return blocks.flatMap(({ transactions }) => transactions.filter((tx) => tx.id === id)).map(({ valid, code }) => valid || code!);
  };

  it('carries an act to every copy, with one outcome and one record', async () => {
    const pt = await open('PT');
    const call = permit();
    await ledger.submit(call);
    const outcome = await settled(call.id);
    expect(outcome).toMatchObject({ id: call.id, org: 'EE', role: 'notary', fn: 'put-permit', args: call.args, valid: true, index: 0 });
    await caughtUp(pt);
    const name = names.permit('EE', call.args.id);
    expect(JSON.parse(new TextDecoder().decode(await pt.record('EE', name.key)))).toMatchObject({ by: 'EE', record: call.args });
    expect(await pt.record('PT', name.key)).toBeUndefined();
    expect((await pt.blocks(outcome.block, 1))[0]?.transactions).toEqual([outcome]);
  });

  it('gives a refused act its outcome, with code and place, though no block holds it; and keeps to it', async () => {
    const call = permit('PT', 'BE');
    await ledger.submit(call);
    expect(await ledger.outcome(call.id)).toMatchObject({
      valid: false,
      code: 'ledger.not-owner',
      where: 'put-permit',
      args: call.args,
      index: -1,
    });
    await ledger.submit(call);
    expect(client.tries).toBe(1);
    expect(await triesInBlocks(call.id)).toEqual([]);
  });

  it('tells why it may not act at all, and leaves the act open', async () => {
    const call = permit();
    for (const refusal of [
      { refuse: 'ledger.key-not-valid', where: 'signer' },
      { refuse: 'orderer.time-window', where: 'time' },
    ] as const) {
      client.mishaps.push(refusal);
      await expect(ledger.submit(call)).rejects.toMatchObject({ code: refusal.refuse });
      expect(await ledger.outcome(call.id)).toBeUndefined();
    }
    await ledger.submit(call);
    expect(await settled(call.id)).toMatchObject({ valid: true });
  });

  it('takes an id once, whoever asks again and whenever', async () => {
    const call = permit();
    channel.held = true;
    const all = [ledger.submit(call), ledger.submit(call), ledger.submit(call)];
    await eventually(() => (client.tries === 3 ? true : undefined));
    channel.held = false;
    channel.release();
    await Promise.all(all);
    await ledger.submit(call);
    expect((await triesInBlocks(call.id)).sort()).toEqual(['ledger.read-conflict', 'ledger.read-conflict', true]);
  });

  it('looks whether an act stands before it tries again, when an answer is lost', async () => {
    const call = permit();
    client.mishaps.push('answer-lost');
    await ledger.submit(call);
    expect(await triesInBlocks(call.id)).toEqual([true]);
    expect(client.tries).toBe(1);
  });

  it('tries again what was never ordered', async () => {
    const call = permit();
    client.mishaps.push('never-ordered');
    await ledger.submit(call);
    expect(client.tries).toBe(2);
    expect(await triesInBlocks(call.id)).toEqual([true]);
  });

  it('counts an act only when its commit is valid: after a conflict it goes again, and both tries stay in their blocks', async () => {
    const call = permit();
    client.mishaps.push('conflict', 'policy');
    await ledger.submit(call);
    expect(await triesInBlocks(call.id)).toEqual(['ledger.read-conflict', 'ledger.endorsement-policy', true]);
    expect(await ledger.outcome(call.id)).toMatchObject({ valid: true });
  });

  it('gives up with the code of what is in the way, after so many tries, and has no outcome then', async () => {
    const call = permit();
    client.mishaps.push(...Array.from({ length: 5 }, () => 'conflict' as const));
    await expect(ledger.submit(call)).rejects.toMatchObject({ code: 'ledger.read-conflict' });
    await caughtUp();
    expect(await ledger.outcome(call.id)).toBeUndefined();
    await ledger.submit(call);
    expect(await settled(call.id)).toMatchObject({ valid: true });
  });

  it('answers while its peer is away, says so, and goes on without a gap', async () => {
    const before = permit();
    await ledger.submit(before);
    await settled(before.id);
    client.away = true;
    client.breakStreams();
    await expect(ledger.submit(permit())).rejects.toMatchObject({ code: 'ledger.unreachable' });
    expect(await ledger.record('EE', names.permit('EE', before.args.id).key)).toBeDefined();
    const pt = await open('PT');
    await pt.submit(permit('PT', 'EE'));
    await pt.submit(permit('PT', 'BE'));
    client.away = false;
    await caughtUp();
    const numbers = (await ledger.blocks(0, 1000)).map(({ number }) => number);
    expect(numbers).toEqual(channel.chain.map((_, i) => i));
  });

  it('does not take a peer that answers for a channel that goes on', async () => {
    client.mishaps.push(...Array.from({ length: 5 }, () => 'never-ordered' as const));
    const started = channel.clock.now();
    await expect(ledger.submit(permit())).rejects.toMatchObject({ code: 'ledger.unreachable' });
    channel.clock.ahead += 60_000;
    await new Promise((resolve) => setTimeout(resolve, 1_700));
    expect(ledger.lastContact()).toBeLessThan(started + 5_000);
    await (await open('PT')).submit(permit('PT', 'EE'));
    await caughtUp();
    await eventually(() => (ledger.lastContact() >= started + 60_000 ? true : undefined));
  });

  it('judges nothing by a peer that stands still', async () => {
    const before = ledger.lastContact();
    client.away = true;
    await new Promise((resolve) => setTimeout(resolve, 1_700));
    channel.clock.ahead += 60_000;
    expect(ledger.lastContact()).toBeLessThan(before + 5_000);
  });

  it('builds the same index again from block 0', async () => {
    const calls = [permit(), permit('EE', 'BE'), permit('PT', 'BE')];
    client.mishaps.push('conflict');
    for (const call of calls) await ledger.submit(call);
    await caughtUp();
    const before = { blocks: await store.blocks(0, 1000), state: new Map(store.state) };
    await ledger.rebuild();
    await caughtUp();
    expect({ blocks: await store.blocks(0, 1000), state: store.state }).toEqual(before);
    expect(await ledger.outcome(calls[2]!.id)).toMatchObject({ valid: false });
    const fresh = new MemoryFabricIndexStore();
    await caughtUp(await open('PT', channel.clientOf('PT'), fresh));
    expect(await fresh.blocks(0, 1000)).toEqual(before.blocks);
    expect(troubles).toEqual([]);
  });

  it('shares an index between processes, and no block stands twice', async () => {
    const other = await open('EE', channel.clientOf('EE'), store);
    const calls = [permit(), permit('EE', 'BE'), permit('EE', 'DE')];
    await Promise.all(calls.map((call, i) => (i % 2 === 0 ? ledger : other).submit(call)));
    for (const { id } of calls) expect(await settled(id, other)).toMatchObject({ valid: true });
    expect((await store.blocks(0, 1000)).map(({ number }) => number)).toEqual(channel.chain.map((_, i) => i));
  });

  describe('what altered chaincode leaves in valid transactions', () => {
    const entry = (owner: string, id: string) =>
      recordWrites(names.permit(owner, id), { ...permit('EE').args, id, custodian: owner }, channel.clock.instant());
    const stands = async (id: string) => {
      await caughtUp();
      return (await ledger.blocks(0, 1000)).flatMap(({ transactions }) => transactions).find((tx) => tx.id === id);
    };

    it('is no act where a third’s public entry is written', async () => {
      const [id, at] = [randomUUID(), randomUUID()];
      const [open] = entry('EE', at);
      const own = entry('PT', at);
      expect(await channel.act('PT', ['put-permit', id, '{}'], [open, ...own])).toBe(VALID);
      expect(await stands(id)).toMatchObject({ valid: false, code: 'ledger.record-forged' });
      expect(await ledger.record('EE', names.permit('EE', at).key)).toBeUndefined();
    });

    it('is no act where the caller’s collection does not hold the word', async () => {
      const id = randomUUID();
      const [open] = entry('PT', randomUUID());
      expect(await channel.act('PT', ['put-permit', id, '{}'], [open])).toBe(VALID);
      expect(await stands(id)).toMatchObject({ valid: false, code: 'ledger.record-forged' });
    });

    it('is no act without the marker of its id, and not ours where another bears our id', async () => {
      const [unmarked, ours] = [randomUUID(), permit()];
      await channel.act('PT', ['put-permit', unmarked, '{}'], entry('PT', randomUUID()), { marker: false });
      expect(await stands(unmarked)).toMatchObject({ valid: false });
      await channel.act('PT', ['put-permit', ours.id, '{}'], entry('PT', randomUUID()));
      await caughtUp();
      expect(await ledger.outcome(ours.id)).toBeUndefined();
      await ledger.submit(ours);
      expect(await settled(ours.id)).toMatchObject({ org: 'EE', valid: true });
    });

    it('is no batch where the verdicts do not lead to the root', async () => {
      const id = randomUUID();
      const leaf = canonicalJson({ v: 1, step: 'released' });
      const record = { v: 1, org: 'PT', n: 0, root: 'ab'.repeat(32), count: 1 };
      const texts = ['anchor-batch', id, JSON.stringify({ v: 1, n: 0, steps: [{ leaf }] })];
      const answer = '{"verdicts":[{"index":0,"ok":true,"position":0}]}';
      await channel.act('PT', texts, recordWrites(names.batch('PT', 0), record, channel.clock.instant()), { answer });
      expect(await stands(id)).toMatchObject({ valid: false, code: 'ledger.record-forged' });
    });

    it('never stops the index', async () => {
      const odd: [string[], string][] = [
        [['anchor-batch', randomUUID(), '{}'], '{"verdicts":7}'],
        [['anchor-batch', randomUUID(), '{"steps":null,"n":0}'], 'no JSON'],
        [['put-permit', randomUUID(), 'no JSON'], '{}'],
        [['put-permit', 'no id', '{}'], '{}'],
        [['no-such-act', randomUUID(), '{}'], '{}'],
        [[], ''],
      ];
      for (const [texts, answer] of odd) {
        const bytes = Buffer.from('\0 no JSON');
        await channel.act('PT', texts, [{ key: { space: 'public', key: '\0composite\0key' }, bytes }], { answer });
      }
      const unreadable = entry('PT', randomUUID()).map((write) => ({ ...write, bytes: Buffer.from('?') }));
      channel.clock.ahead = 9e15;
      await channel.act('PT', ['put-permit', randomUUID(), '{}'], unreadable);
      channel.clock.ahead = 0;
      const call = permit();
      await ledger.submit(call);
      expect(await settled(call.id)).toMatchObject({ valid: true });
      expect(troubles).toEqual([]);
    });
  });

  it('takes no block that does not continue its own', async () => {
    await caughtUp();
    const height = await ledger.height();
    const raw = common.Block.deserializeBinary(channel.chain.at(-1)!.serializeBinary());
    raw.getHeader()!.setNumber(height + 1);
    channel.chain.push(raw);
    channel.grown.fire();
    await eventually(() => (troubles.length > 0 ? true : undefined));
    expect(troubles[0]).toMatchObject({ code: 'orderer.block-invalid' });
    expect(await ledger.height()).toBe(height);
  });

  it('gives the exact envelope of a head as evidence, and of nothing else', async () => {
    const call = permit();
    await ledger.submit(call);
    await settled(call.id);
    expect(await ledger.evidence(call.id)).toBeUndefined();
    const batch = { id: randomUUID(), fn: 'anchor-batch', args: { v: 1, n: 0, steps: [{ leaf: 'nonsense' }] } };
    await ledger.submit(batch);
    expect((await settled(batch.id)).verdicts).toEqual([{ transferId: '', step: '', accepted: false, code: 'ledger.leaf-malformed' }]);
    const { record } = JSON.parse(new TextDecoder().decode(await ledger.record('EE', 'batch/0'))) as {
      record: { root: string; count: number };
    };
    const { root, count } = record;
    const args = { v: 1, org: 'EE', seq: 0, size: 0, root, consistency: [], batches: [{ n: 0, root, count }] };
    const head = { id: randomUUID(), fn: 'put-head', args };
    await ledger.submit(head);
    const { block } = await settled(head.id);
    const envelope = Buffer.from(channel.chain[block]!.getData()!.getDataList_asU8()[0]!).toString('base64');
    expect(await ledger.evidence(head.id)).toEqual({ v: 1, ledger: 'fabric', channel: 'trial', head: { envelope } });
  });

  it('knows what Fabric finds invalid by a code of the registry', async () => {
    const ids: string[] = [randomUUID(), randomUUID(), randomUUID()];
    const faults = [ENDORSEMENT_POLICY_FAILURE, MVCC_READ_CONFLICT, peer.TxValidationCode.BAD_RWSET] as const;
    for (const [i, fault] of faults.entries()) await channel.act('PT', ['put-permit', ids[i]!, '{}'], [], { fault });
    await caughtUp();
    const found = (await ledger.blocks(0, 1000)).flatMap(({ transactions }) => transactions).filter(({ id }) => ids.includes(id));
    expect(found.map(({ code }) => code)).toEqual(['ledger.endorsement-policy', 'ledger.read-conflict', 'ledger.transaction-invalid']);
  });
});

async function eventually<T>(look: () => Promise<T | undefined> | T | undefined, ms = 8_000): Promise<T> {
  const end = Date.now() + ms;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`nothing within ${String(ms)} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

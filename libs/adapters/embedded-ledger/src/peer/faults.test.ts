import { keysOf, keyText, names } from '@portolan/ledger-rules';
import type { OrderedAttestation, OrderedBlock } from '@portolan/contracts';
import { hexOf, utf8 } from '@portolan/verify';
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { putKeyArgs } from '../chain/make-genesis.js';
import type { OrdererLink } from '../chain/orderer-link.js';
import { sha256 } from '../chain/tools.js';
import { eventually, newPair, PairSigner, TestChannel } from '../test-support.js';
import type { EmbeddedLedger } from './embedded-ledger.js';

/** A link on whose answers a test lays its hand. */
class MeddlingLink implements OrdererLink {
  blocksBy: (blocks: readonly OrderedBlock[]) => readonly OrderedBlock[] = (blocks) => blocks;
  attestationsBy: (attestations: readonly OrderedAttestation[]) => readonly OrderedAttestation[] = (attestations) => attestations;
  constructor(private readonly inner: OrdererLink) {}
  submit = (jws: string) => this.inner.submit(jws);
  attest = (attestations: readonly string[]) => this.inner.attest(attestations);
  blocks = async (from: number, waitMs: number, until?: AbortSignal) =>
    this.blocksBy(await this.inner.blocks(from, Math.min(waitMs, 50), until));
  attestations = async (after: number, waitMs: number, until?: AbortSignal) =>
    this.attestationsBy(await this.inner.attestations(after, Math.min(waitMs, 50), until));
}

describe('faults of the embedded ledger', () => {
  let channel: TestChannel;
  let ledgers: Map<string, EmbeddedLedger>;
  const at = (org: string): EmbeddedLedger => ledgers.get(org)!;
  const committed = (org: string, id: string) => eventually(() => at(org).outcome(id));
  const troubleCodes = (): unknown[] => channel.troubles.map((error) => (error as { code?: unknown }).code);

  beforeEach(async () => {
    channel = await TestChannel.make();
  });
  afterEach(() => channel.close());

  it('goes on reading without the orderer, says that it is unreachable, and goes on where it stood when it is back', async () => {
    ledgers = await channel.openAll();
    const [before, after] = [channel.permit('EE', 'PT'), channel.permit('EE', 'PT')];
    await at('EE').submit(before);
    await committed('PT', before.id);
    await channel.stopOrderer();
    await expect(at('EE').submit(after)).rejects.toMatchObject({ code: 'ledger.unreachable', retriable: true });
    expect(await at('PT').outcome(before.id)).toMatchObject({ valid: true });
    expect(await at('PT').record('EE', names.permit('EE', before.args.id).key)).toBeDefined();
    await channel.startOrderer();
    await at('EE').submit(after);
    expect(await committed('PT', after.id)).toMatchObject({ valid: true, block: 2 });
  });

  it('waits for an orderer that comes back while it submits', async () => {
    ledgers = await channel.openAll();
    await channel.stopOrderer();
    const permit = channel.permit('EE', 'PT');
    const submitted = at('EE').submit(permit);
    await channel.startOrderer();
    await submitted;
    expect(await committed('PT', permit.id)).toMatchObject({ valid: true });
  });

  const meddlings: readonly [string, (block: OrderedBlock) => OrderedBlock][] = [
    ['a transaction left out', (block) => ({ ...block, transactions: block.transactions.slice(1) })],
    ['a transaction changed', (block) => ({ ...block, transactions: block.transactions.map((jws) => jws.replace(/.{8}$/, 'AAAAAAAA')) })],
    ['a header changed', (block) => ({ ...block, header: block.header.replace(/.{8}$/, 'AAAAAAAA') })],
  ];
  it.each(meddlings)('takes no block with %s, and takes the right one when it comes', async (_, meddle) => {
    ledgers = await channel.openAll();
    await eventually(async () => ((await at('PT').height()) === 0 ? true : undefined));
    await at('PT').close();
    const link = new MeddlingLink(channel.linkFor('PT'));
    link.blocksBy = (blocks) => blocks.map(meddle);
    ledgers.set('PT', await channel.open('PT', { orderer: link }));
    const permit = channel.permit('EE', 'PT');
    await at('EE').submit(permit);
    await eventually(() => (troubleCodes().includes('orderer.block-invalid') ? true : undefined));
    expect(await at('PT').height()).toBe(0);
    expect(await at('PT').outcome(permit.id)).toBeUndefined();
    link.blocksBy = (blocks) => blocks;
    expect(await committed('PT', permit.id)).toMatchObject({ valid: true });
  });

  it('names the copy that was altered, on every copy, the altered one included', async () => {
    ledgers = await channel.openAll();
    const first = channel.permit('EE', 'PT');
    await at('EE').submit(first);
    await committed('PT', first.id);
    // BE believes from now on that EE's permit was never given, and forges the owner's entry with it.
    const store = channel.stores.get('BE')!;
    await committed('BE', first.id);
    const forged = utf8('{"at":"2026-01-01T00:00:00.000Z","by":"EE","record":{},"v":1}');
    const [open, owned] = keysOf(names.permit('EE', first.args.id)).map(keyText);
    store.state.set(open!, forged);
    store.state.set(owned!, utf8(hexOf(sha256(forged))));
    const end = { id: randomUUID(), fn: 'end-permit', args: { v: 1, permitId: first.args.id } };
    await at('EE').submit(end);
    for (const org of ledgers.keys()) {
      await committed(org, end.id);
      await eventually(async () => ((await channel.stores.get(org)!.attestations(2, 2)).length === 4 ? true : undefined));
      expect(await at(org).divergences()).toEqual([{ org: 'BE', block: 2, differs: 'state' }]);
    }
    expect(channel.diverging.filter(({ seenBy }) => seenBy === 'EE')).toEqual([{ org: 'BE', block: 2, seenBy: 'EE' }]);
    expect((await eventually(() => at('EE').evidence(end.id))).attestations).toHaveLength(3);
    expect(await at('BE').evidence(end.id)).toBeUndefined();
  });

  it('keeps attestations of blocks that it has not reached until it has, and counts each country once', async () => {
    ledgers = await channel.openAll();
    await at('PT').close();
    const link = new MeddlingLink(channel.linkFor('PT'));
    link.blocksBy = (blocks) => blocks.filter((_, i) => i < 0);
    channel.stores.delete('PT');
    ledgers.set('PT', await channel.open('PT', { orderer: link }));
    const permit = channel.permit('EE', 'PT');
    await at('EE').submit(permit);
    await eventually(async () => (await at('EE').evidence(permit.id)) && true);
    expect(await at('PT').height()).toBe(-1);
    link.blocksBy = (blocks) => blocks;
    link.attestationsBy = (attestations) => attestations.flatMap((one) => [one, one]);
    const evidence = await eventually(() => at('PT').evidence(permit.id));
    expect(evidence.attestations.length).toBeGreaterThanOrEqual(3);
    expect(new Set(evidence.attestations).size).toBe(evidence.attestations.length);
  });

  it('believes no attestation that the country did not sign, whoever passes it on', async () => {
    await channel.startOrderer();
    const forgers = new Map(await Promise.all(['EE', 'BE'].map(async (org) => [org, new PairSigner(await newPair())] as const)));
    const link = new MeddlingLink(channel.linkFor('PT'));
    ledgers = new Map([['PT', await channel.open('PT', { orderer: link })]]);
    const own = await eventually(async () => (await channel.ordererStore.attestationsAfter(0, 1))[0]);
    const payload = Buffer.from(own.jws.split('.')[1]!, 'base64url').toString();
    const forged = await Promise.all(
      [...forgers].map(async ([org, signer], i) => ({
        seq: own.seq + 1 + i,
        jws: await signer.sign('ledger', 'portolan-attestation+jws', payload.replace('"org":"PT"', `"org":"${org}"`)),
      })),
    );
    link.attestationsBy = (attestations) => [...attestations, ...forged];
    await eventually(() => (troubleCodes().filter((code) => code === 'orderer.attestation-invalid').length >= 2 ? true : undefined));
    expect((await channel.stores.get('PT')!.attestations(0, 0)).map(({ org }) => org)).toEqual(['PT']);
    expect(await at('PT').evidence((await at('PT').blocks(0, 1))[0]!.transactions[0]!.id)).toBeUndefined();
  });

  it('attests each block once over restarts, also what it executed but had not attested', async () => {
    ledgers = await channel.openAll();
    const permit = channel.permit('EE', 'PT');
    const link = new MeddlingLink(channel.linkFor('PT'));
    await at('PT').close();
    ledgers.set(
      'PT',
      await channel.open('PT', { orderer: Object.assign(link, { attest: () => Promise.reject(new Error('the line went down')) }) }),
    );
    await at('EE').submit(permit);
    await committed('PT', permit.id);
    expect(await channel.ordererStore.countAttestations(1, 'PT')).toBe(0);
    await at('PT').close();
    ledgers.set('PT', await channel.open('PT'));
    await eventually(async () => ((await channel.ordererStore.countAttestations(1, 'PT')) === 1 ? true : undefined));
    expect(await channel.ordererStore.countAttestations(0, 'PT')).toBe(1);
  });

  it('passes over what lies before its present key, and attests what comes after', async () => {
    ledgers = await channel.openAll();
    await eventually(async () => ((await channel.ordererStore.countAttestations(0, 'PT')) === 1 ? true : undefined));
    await at('PT').close();
    const missed = [channel.permit('EE', 'PT'), channel.permit('EE', 'BE')];
    for (const permit of missed) await at('EE').submit(permit);
    channel.clock.ahead = 10_000;
    const fresh = await newPair();
    const args = putKeyArgs('PT', {
      use: 'ledger',
      jwk: fresh.jwk,
      notBefore: channel.clock.in(0),
      notAfter: channel.clock.in(86_400_000),
    });
    await channel.orderer!.submit((await channel.registryAct('PT', { fn: 'put-key', args })).jws);
    ledgers.set('PT', await channel.open('PT', { signer: new PairSigner(fresh) }));
    await eventually(async () => ((await channel.ordererStore.countAttestations(3, 'PT')) === 1 ? true : undefined));
    expect(await Promise.all([1, 2].map((block) => channel.ordererStore.countAttestations(block, 'PT')))).toEqual([0, 0]);
    expect((await eventually(() => at('EE').evidence(missed[0]!.id))).attestations).toHaveLength(3);
  });
});

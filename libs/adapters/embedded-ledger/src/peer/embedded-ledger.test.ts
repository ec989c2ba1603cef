import { names } from '@portolan/ledger-rules';
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestChannel, eventually, newOrg, newPair } from '../test-support.js';
import { putKeyArgs, signRegistryAct, participantOf } from '../chain/make-genesis.js';
import type { EmbeddedLedger } from './embedded-ledger.js';

describe('the embedded ledger', () => {
  let channel: TestChannel;
  let ledgers: Map<string, EmbeddedLedger>;
  const at = (org: string): EmbeddedLedger => ledgers.get(org)!;

  beforeEach(async () => {
    channel = await TestChannel.make();
    ledgers = await channel.openAll();
  });
  afterEach(() => channel.close());

  const committed = (org: string, id: string) => eventually(() => at(org).outcome(id));
  const submitted = async (org: string, call: { id: string; fn: string; args: unknown }, on = org) => {
    await at(org).submit(call);
    return committed(on, call.id);
  };

  it('carries an act to every copy, with one outcome and one record', async () => {
    const permit = channel.permit('EE', 'PT');
    await at('EE').submit(permit);
    for (const org of ledgers.keys()) {
      const outcome = await committed(org, permit.id);
      expect(outcome).toMatchObject({
        id: permit.id,
        org: 'EE',
        role: 'notary',
        fn: 'put-permit',
        args: permit.args,
        valid: true,
        block: 1,
        index: 0,
      });
      const bytes = await at(org).record('EE', names.permit('EE', permit.args.id).key);
      expect(JSON.parse(new TextDecoder().decode(bytes))).toMatchObject({ by: 'EE', record: permit.args });
    }
    expect(await at('PT').record('PT', names.permit('EE', permit.args.id).key)).toBeUndefined();
    expect((await at('BE').blocks(0, 10)).map(({ number, transactions }) => [number, transactions.length])).toEqual([
      [0, 10],
      [1, 1],
    ]);
  });

  it('keeps a refused act as an invalid transaction, with code and place', async () => {
    const foreign = { ...channel.permit('PT', 'BE') };
    const outcome = await submitted('EE', foreign, 'DE');
    expect(outcome).toMatchObject({ valid: false, code: 'ledger.not-owner', where: 'put-permit' });
    expect(await at('DE').record('PT', names.permit('PT', foreign.args.id).key)).toBeUndefined();
  });

  it('takes the same id once, whoever asks again and whenever', async () => {
    const permit = channel.permit('EE', 'PT');
    await Promise.all([at('EE').submit(permit), at('EE').submit(permit), at('EE').submit(permit)]);
    await committed('PT', permit.id);
    await at('EE').submit(permit);
    const blocks = await at('PT').blocks(1, 100);
    expect(blocks.flatMap(({ transactions }) => transactions.map(({ id }) => id))).toEqual([permit.id]);
  });

  it('judges each act on what those before it in the block wrote', async () => {
    const permit = channel.permit('EE', 'PT');
    const again = { ...permit, id: randomUUID() };
    await Promise.all([at('EE').submit(permit), at('EE').submit(again)]);
    const outcomes = await Promise.all([committed('BE', permit.id), committed('BE', again.id)]);
    expect(outcomes.map(({ block }) => block)).toEqual([1, 1]);
    expect(outcomes.map(({ valid }) => valid).sort()).toEqual([false, true]);
    expect(outcomes.find(({ valid }) => !valid)?.code).toBe('ledger.already-written');
  });

  it('wakes who waits for a new block, and lets go after the time', async () => {
    await eventually(async () => ((await at('PT').height()) === 0 ? true : undefined));
    const started = Date.now();
    await at('PT').beyond(0, 50);
    expect(Date.now() - started).toBeGreaterThanOrEqual(45);
    const woken = at('PT')
      .beyond(0, 5_000)
      .then(() => at('PT').height());
    await at('EE').submit(channel.permit('EE', 'PT'));
    expect(await woken).toBe(1);
  });

  it('gives evidence when two thirds of the countries have signed, not before, and never for a refused act', async () => {
    await Promise.all(['PT', 'BE', 'DE'].map((org) => at(org).close()));
    const [permit, refused] = [channel.permit('EE', 'PT'), channel.permit('PT', 'EE')];
    await Promise.all([at('EE').submit(permit), at('EE').submit(refused)]);
    await committed('EE', permit.id);
    await eventually(async () => ((await channel.ordererStore.countAttestations(1, 'EE')) === 1 ? true : undefined));
    ledgers.set('PT', await channel.open('PT'));
    await eventually(async () => ((await channel.stores.get('EE')!.attestations(1, 1)).length === 2 ? true : undefined));
    expect(await at('EE').evidence(permit.id)).toBeUndefined();
    ledgers.set('BE', await channel.open('BE'));
    const evidence = await eventually(() => at('EE').evidence(permit.id));
    expect(evidence).toMatchObject({ v: 1, ledger: 'embedded', channel: 'trial' });
    expect(evidence.attestations).toHaveLength(3);
    expect(await at('EE').evidence(refused.id)).toBeUndefined();
    expect(await at('EE').evidence(randomUUID())).toBeUndefined();
  });

  it('exports the trust file of its own copy: all keys that were registered, and when one ended', async () => {
    const { id, jws } = await channel.registryAct('PT', { fn: 'end-key', args: { v: 1, org: 'PT', kid: channel.org('PT').tls.kid } });
    await at('PT').submitSigned(jws);
    await committed('EE', id);
    const trust = await at('EE').trustFile();
    expect(TestChannel.validators.mistake('trust-file', trust)).toBeUndefined();
    expect(trust.orderer.kid).toBe(channel.regulator.ledger.kid);
    expect(trust.participants.map(({ org, kind }) => `${org} ${kind}`)).toEqual([
      'REG regulator',
      'EE country',
      'PT country',
      'BE country',
      'DE country',
    ]);
    const keys = trust.participants.find(({ org }) => org === 'PT')!.keys;
    expect(keys.map(({ use, ended }) => [use, ended !== undefined])).toEqual([
      ['governance', false],
      ['ledger', false],
      ['tls', true],
    ]);
  });

  it('lets a revoked ledger key sign nothing more, on any copy, from the revoking block on', async () => {
    const { id, jws } = await channel.registryAct('EE', { fn: 'end-key', args: { v: 1, org: 'EE', kid: channel.org('EE').ledger.kid } });
    const started = Date.now();
    await at('EE').submitSigned(jws);
    expect(await committed('PT', id)).toMatchObject({ valid: true });
    expect(Date.now() - started).toBeLessThan(2_000);
    await expect(at('EE').submit(channel.permit('EE', 'PT'))).rejects.toMatchObject({ code: 'ledger.key-not-valid' });
  });

  it('goes on under a new key after a rotation', async () => {
    const fresh = await newPair();
    const { id, jws } = await channel.registryAct('EE', {
      fn: 'put-key',
      args: putKeyArgs('EE', { use: 'ledger', jwk: fresh.jwk, notBefore: channel.clock.in(-1000), notAfter: channel.clock.in(86_400_000) }),
    });
    await at('EE').submitSigned(jws);
    await committed('EE', id);
    await at('EE').close();
    const { PairSigner } = await import('../test-support.js');
    ledgers.set('EE', await channel.open('EE', { signer: new PairSigner(fresh) }));
    expect(await submitted('EE', channel.permit('EE', 'PT'), 'DE')).toMatchObject({ valid: true });
  });

  it('admits a country by an act of the ordering organisation; then it registers itself and takes part', async () => {
    const fi = await newOrg('FI', 'country', channel.clock);
    const governance = { org: 'FI', ...fi.governance };
    const key = { fn: 'put-key', args: putKeyArgs('FI', fi.founding.keys[0]!) };
    const early = await signRegistryAct({ ...key, id: randomUUID() }, governance, 'trial', channel.clock.in(0));
    await expect(channel.orderer!.submit(early)).rejects.toMatchObject({ code: 'ledger.participant-unknown' });

    const act = { fn: 'admit-organisation', args: { v: 1, organisation: participantOf(fi.founding) } };
    const byAnother = await channel.registryAct('EE', act);
    await at('EE').submitSigned(byAnother.jws);
    expect(await committed('EE', byAnother.id)).toMatchObject({ valid: false, code: 'ledger.not-owner' });

    const admitted = await channel.registryAct('REG', act);
    await channel.orderer!.submit(admitted.jws);
    expect(await committed('EE', admitted.id)).toMatchObject({ valid: true });
    const registered = randomUUID();
    await channel.orderer!.submit(await signRegistryAct({ ...key, id: registered }, governance, 'trial', channel.clock.in(0)));
    expect(await committed('EE', registered)).toMatchObject({ valid: true, org: 'FI' });
    expect((await at('EE').trustFile()).participants.at(-1)).toMatchObject({ org: 'FI', kind: 'country' });
    expect(await submitted('EE', channel.permit('EE', 'FI'))).toMatchObject({ valid: true });
  });
});

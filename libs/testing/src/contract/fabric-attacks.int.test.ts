import { randomUUID, webcrypto } from 'node:crypto';
import { join } from 'node:path';
import { canonicalJson, Validators, type OrgId } from '@portolan/contracts';
import type { CommittedTx } from '@portolan/domain';
import { sha256 } from '@portolan/keys';
import { contentKey, names, type RecordName } from '@portolan/ledger-rules';
import { inclusionPath, leafHash, merkleRoot, sha256Hex, utf8, verifyReceipt } from '@portolan/verify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fabricEngine } from '../stack/fabric/index.js';
import { FabricTrial, trialOrgs as orgs, type FabricCountry } from './fabric-world.js';

const engine = await fabricEngine();
const absent = 'absent' in engine ? engine.absent : undefined;
const inCi = process.env['CI'] === 'true';
const altered = [process.execPath, join(import.meta.dirname, 'altered-chaincode.mjs')];
const digest = 'ab'.repeat(32);
const inMs = (ms: number): string => new Date(Date.now() + ms).toISOString();
const hour = 3_600_000;
const validators = new Validators();

interface FakeWrite {
  readonly owner?: OrgId;
  readonly key: string;
  readonly text: string;
  /** Organisations that must endorse whoever writes the key from then on. */
  readonly keptBy?: readonly string[];
}

const publicly = ({ owner, key }: RecordName, record: object): FakeWrite => {
  const text = canonicalJson({ v: 1, by: owner, at: '2026-01-01T00:00:00.000Z', record });
  return { key: contentKey(`${owner}/${key}`, sha256Hex(text, sha256)), text };
};
const asOwner = (name: RecordName, record: object): FakeWrite => ({ ...publicly(name, record), owner: name.owner, key: name.key });

describe.skipIf(absent !== undefined && !inCi)(
  `a Fabric channel under attack${absent === undefined ? '' : ` (skipped: ${absent})`}`,
  () => {
    let trial: FabricTrial;
    const at = (org: string): FabricCountry => trial.at(org);
    const next = new Map<string, number>();

    beforeAll(async () => {
      trial = await FabricTrial.start(engine, 'bft');
    }, 300_000);
    afterAll(async () => trial.stop());

    const outcomeOf = async (org: OrgId, id: string): Promise<CommittedTx> => {
      const { ledger } = at(org);
      const end = Date.now() + 20_000;
      while (Date.now() < end) {
        const outcome = await ledger.outcome(id);
        if (outcome !== undefined) return outcome;
        await ledger.beyond(await ledger.height(), 200);
      }
      throw new Error(`${id} has no outcome`);
    };
    const act = async (org: OrgId, fn: string, args: object, id: string = randomUUID()): Promise<CommittedTx> => {
      await at(org).ledger.submit({ id, fn, args });
      return outcomeOf(org, id);
    };
    /** What became of the steps of a country's next batch: `accepted`, or a code; of a batch that was refused its code alone. */
    const anchor = async (org: OrgId, ...steps: object[]): Promise<unknown[]> => {
      const n = next.get(org) ?? 0;
      const { valid, code, verdicts = [] } = await act(org, 'anchor-batch', { v: 1, n, steps });
      if (valid) next.set(org, n + 1);
      return valid ? verdicts.map((verdict) => (verdict.accepted ? 'accepted' : verdict.code)) : [code];
    };
    const permitOf = (custodian: OrgId, recipient: OrgId, until = inMs(hour)) => ({
      ...{ v: 1, id: randomUUID(), custodian, recipient, purpose: 'TREAT', until, commitment: digest },
    });
    const release = (permitId: string, from: OrgId, to: OrgId): string => {
      const parties = { transferId: randomUUID(), from, to, by: from, permitId };
      return canonicalJson({
        v: 1,
        step: 'released',
        ...parties,
        ciphertextHash: digest,
        commitment: digest,
        limit: inMs(hour),
        graceSeconds: 600,
      });
    };
    /** PT's client, with PT and BE as endorsers whose chaincode writes as told. Answers with what Fabric made of it. */
    const collude = async (texts: readonly string[], writes: readonly FakeWrite[], answer = '{}'): Promise<string> => {
      const commands = trial.stack.commands('PT');
      const plan = Buffer.from(JSON.stringify({ writes, answer })).toString('base64');
      const call = [
        '-C',
        trial.stack.channel,
        '-n',
        'portolan',
        '-c',
        JSON.stringify({ Args: texts }),
        '--transient',
        JSON.stringify({ plan }),
      ];
      const to = [...commands.toOrderer, ...commands.endorsedBy(['PT', 'BE']), '--waitForEvent', '--waitForEventTimeout', '30s'];
      return commands.peer(['chaincode', 'invoke', ...call, ...to], 'notary').then(
        () => 'VALID',
        (error: unknown) => /[A-Z]+(?:_[A-Z]+)+/u.exec(String(error).replace(/^[^]*status/u, ''))?.[0] ?? String(error),
      );
    };
    const withAltered = async <T>(work: () => Promise<T>): Promise<T> => {
      for (const org of ['PT', 'BE'] as const) await trial.stack.replaceChaincode(org, altered);
      try {
        return await work();
      } finally {
        for (const org of ['PT', 'BE'] as const) await trial.stack.replaceChaincode(org, undefined);
      }
    };
    const everywhere = async (): Promise<void> => {
      const { height } = await at('EE').ledger.state();
      for (const org of orgs) {
        const { ledger } = at(org);
        while ((await ledger.height()) < height) await ledger.beyond(height - 1, 200);
      }
    };
    const inBlocks = async (org: OrgId, id: string): Promise<CommittedTx | undefined> => {
      await everywhere();
      return (await at(org).ledger.blocks(0, 1000)).flatMap(({ transactions }) => transactions).find((tx) => tx.id === id);
    };

    it('two organisations with altered chaincode write no word of a third', async () => {
      const permit = permitOf('EE', 'PT');
      const name = names.permit('EE', permit.id);
      const [owned, both] = [randomUUID(), randomUUID()];
      await withAltered(async () => {
        expect(await collude(['put-permit', owned, '{}'], [asOwner(name, permit)])).toBe('ENDORSEMENT_POLICY_FAILURE');
        expect(await collude(['put-permit', both, '{}'], [publicly(name, permit), asOwner(name, permit)])).toBe(
          'ENDORSEMENT_POLICY_FAILURE',
        );
      });
      for (const id of [owned, both])
        await expect.poll(() => inBlocks('EE', id), { timeout: 10_000 }).toMatchObject({ valid: false, code: 'ledger.endorsement-policy' });
      expect(await at('EE').ledger.record('EE', name.key)).toBeUndefined();
    });

    it('what they write publicly changes no decision, neither of the chaincode nor of a notary', async () => {
      const [forged, live] = [permitOf('EE', 'PT'), permitOf('EE', 'PT')];
      expect(await act('EE', 'put-permit', live)).toMatchObject({ valid: true });
      const n = next.get('EE') ?? 0;
      const ids = [randomUUID(), randomUUID(), randomUUID(), randomUUID()] as const;
      const batch = names.batch('EE', n);
      await withAltered(async () => {
        const own = (id: string): FakeWrite => ({ owner: 'PT', key: `tx/${id}`, text: 'mine' });
        expect(await collude(['put-permit', ids[0], '{}'], [publicly(names.permit('EE', forged.id), forged), own(ids[0])])).toBe('VALID');
        const end = publicly(names.permitEnd('EE', live.id), { v: 1, permitId: live.id });
        expect(await collude(['end-permit', ids[1], JSON.stringify({ v: 1, permitId: live.id })], [end, own(ids[1])])).toBe('VALID');
        const left = publicly(names.participantEnd('EE'), { v: 1, org: 'EE' });
        expect(await collude(['end-participant', ids[2], '{"v":1,"org":"EE"}'], [left, own(ids[2])])).toBe('VALID');
        const root = publicly(batch, { v: 1, org: 'EE', n, root: digest, count: 1 });
        expect(await collude(['anchor-batch', ids[3], JSON.stringify({ v: 1, n, steps: [] })], [root, own(ids[3])])).toBe('VALID');
      });
      for (const id of ids)
        await expect.poll(() => inBlocks('EE', id), { timeout: 10_000 }).toMatchObject({ valid: false, code: 'ledger.record-forged' });
      const leaves = [release(forged.id, 'EE', 'PT'), release(live.id, 'EE', 'PT')];
      expect(await anchor('EE', ...leaves.map((leaf) => ({ leaf })))).toEqual(['ledger.permit-unknown', 'accepted']);
      for (const org of orgs) {
        await everywhere();
        expect(await at(org).ledger.record('EE', names.permit('EE', forged.id).key)).toBeUndefined();
        expect(await at(org).ledger.record('EE', names.permitEnd('EE', live.id).key)).toBeUndefined();
        const anchored = JSON.parse(Buffer.from((await at(org).ledger.record('EE', batch.key)) ?? []).toString()) as object;
        expect(anchored).toMatchObject({ record: { root: merkleRoot([leafHash(utf8(leaves[1] ?? ''), sha256)], sha256) } });
      }
    });

    it('bytes that stand they cannot take away', async () => {
      const { key } = names.participant('EE');
      const stands = Buffer.from((await at('EE').ledger.record('EE', key)) ?? []).toString();
      const taking = { key: contentKey(`EE/${key}`, sha256Hex(stands, sha256)), text: '{}' };
      await withAltered(async () => {
        expect(await collude(['put-participant', randomUUID(), '{}'], [taking])).toBe('ENDORSEMENT_POLICY_FAILURE');
      });
      expect(await act('EE', 'put-permit', permitOf('EE', 'BE'))).toMatchObject({ valid: true });
    });

    it('no release under a permit that has ended, is another country’s or has expired', async () => {
      const [ended, foreign, short] = [permitOf('EE', 'PT'), permitOf('EE', 'BE'), permitOf('EE', 'PT', inMs(4_000))];
      for (const permit of [ended, foreign, short]) expect(await act('EE', 'put-permit', permit)).toMatchObject({ valid: true });
      await act('EE', 'end-permit', { v: 1, permitId: ended.id });
      await new Promise((resolve) => setTimeout(resolve, Date.parse(short.until) - Date.now() + 50));
      const steps = [ended, foreign, short, { id: randomUUID() }].map(({ id }) => ({ leaf: release(id, 'EE', 'PT') }));
      expect(await anchor('EE', ...steps)).toEqual([
        'ledger.permit-ended',
        'ledger.permit-foreign',
        'ledger.permit-expired',
        'ledger.permit-unknown',
      ]);
    });

    it('no step without its predecessor', async () => {
      const permit = permitOf('EE', 'PT');
      await act('EE', 'put-permit', permit);
      const leaf = release(permit.id, 'EE', 'PT');
      const n = next.get('EE') ?? 0;
      expect(await anchor('EE', { leaf })).toEqual(['accepted']);
      await everywhere();
      const { transferId, from, to } = JSON.parse(leaf) as { transferId: string; from: OrgId; to: OrgId };
      const step = { v: 1, step: 'received', transferId, from, to, by: 'PT', receiptHash: digest };
      const received = canonicalJson({ ...step, predecessor: sha256Hex(leaf, sha256) });
      const path = inclusionPath(0, [leafHash(utf8(leaf), sha256)], sha256);
      const after = { org: 'EE', n, index: 0, leaf, path };
      const never = release(permit.id, 'EE', 'PT');
      const forNever = canonicalJson({
        ...step,
        transferId: (JSON.parse(never) as { transferId: string }).transferId,
        predecessor: sha256Hex(never, sha256),
      });
      const steps = [{ leaf: received }, { leaf: forNever, after: { ...after, leaf: never } }, { leaf: received, after }];
      expect(await anchor('PT', ...steps)).toEqual(['ledger.predecessor-missing', 'ledger.predecessor-unproven', 'accepted']);
      expect(await anchor('PT', { leaf: received, after: { ...after, n: n + 900 } })).toEqual(['ledger.predecessor-not-visible']);
    });

    it('but what stands is proved to who has the trust file alone, on the word of any country', async () => {
      const permit = permitOf('EE', 'PT');
      await act('EE', 'put-permit', permit);
      const leaf = release(permit.id, 'EE', 'PT');
      const n = next.get('EE') ?? 0;
      expect(await anchor('EE', { leaf })).toEqual(['accepted']);
      const anchored = await Promise.all(
        Array.from({ length: n + 1 }, async (_, number) => {
          const bytes = await at('EE').ledger.record('EE', names.batch('EE', number).key);
          const { record } = JSON.parse(Buffer.from(bytes ?? []).toString()) as { record: { root: string; count: number } };
          return { n: number, root: record.root, count: record.count };
        }),
      );
      const id = randomUUID();
      const head = { v: 1, org: 'EE', seq: 0, size: 0, root: merkleRoot([], sha256), consistency: [], batches: anchored };
      expect(await act('EE', 'put-head', head, id)).toMatchObject({ valid: true });
      await everywhere();
      const batch = { n, root: anchored[n]?.root ?? '', count: 1, index: 0, path: [] };
      const trust = await at('BE').ledger.trustFile();
      expect(validators.mistake('trust-file', trust)).toBeUndefined();
      expect(trust.participants.map(({ org, endorsers }) => [org, endorsers.length]).sort()).toEqual([
        ['BE', 1],
        ['EE', 1],
        ['PT', 1],
      ]);
      for (const org of orgs) {
        const receipt = { ...(await at(org).ledger.evidence(id)), leaf, batch };
        const deps = { sha256, subtle: webcrypto.subtle, validators };
        const proved = await verifyReceipt(canonicalJson(receipt), trust, deps);
        expect([proved.ok, proved.steps.filter((one) => !one.ok)]).toEqual([true, []]);
        const altered = { ...receipt, batch: { ...batch, root: digest } };
        const { ok, steps } = await verifyReceipt(canonicalJson(altered), trust, deps);
        expect([ok, steps.filter((step) => !step.ok).map(({ step }) => step)]).toEqual([false, ['leaf-in-batch']]);
      }
    });

    it('no head that drops or rewrites what the one before has proved', async () => {
      const leaves = ['a', 'b', 'c', 'd'].map((text) => leafHash(utf8(text), sha256));
      const root = (size: number, of = leaves): string => merkleRoot(of.slice(0, size), sha256);
      const head = (seq: number, size: number, more: object): Promise<CommittedTx> =>
        act('BE', 'put-head', { v: 1, org: 'BE', seq, size, root: root(size), consistency: [], batches: [], ...more });
      expect(await head(0, 2, {})).toMatchObject({ valid: true });
      const [left, third] = [root(2), leaves[2] ?? ''];
      expect(await head(1, 1, {})).toMatchObject({ code: 'ledger.head-shrinks' });
      const rewritten = [leaves[3] ?? '', ...leaves.slice(1)];
      expect(await head(1, 3, { root: root(3, rewritten), consistency: [third] })).toMatchObject({ code: 'ledger.head-inconsistent' });
      expect(await head(1, 3, { consistency: [left] })).toMatchObject({ code: 'ledger.head-inconsistent' });
      expect(await head(1, 3, { consistency: [third] })).toMatchObject({ valid: true });
    });

    it('nobody acts for another, nor in another role, nor under a key that is not registered', async () => {
      expect(await act('PT', 'end-permit', { v: 1, permitId: randomUUID() })).toMatchObject({ code: 'ledger.record-unknown' });
      expect(await act('PT', 'put-permit', permitOf('EE', 'BE'))).toMatchObject({ code: 'ledger.not-owner' });
      expect(await act('PT', 'put-policy', { v: 1, org: 'PT', hash: digest })).toMatchObject({ code: 'ledger.role-refused' });
      const text = JSON.stringify({ Args: ['put-policy', randomUUID(), JSON.stringify({ v: 1, org: 'PT', hash: digest })] });
      const query = trial.stack
        .commands('PT')
        .peer(['chaincode', 'query', '-C', trial.stack.channel, '-n', 'portolan', '-c', text], 'admin');
      await expect(query).rejects.toThrow('ledger.role-refused');
    });

    it('two dead orderers: nothing is taken, the notary knows, and all resumes', async () => {
      const { ledger } = at('EE');
      await Promise.all((['BE', 'REG'] as const).map((org) => trial.stack.kill(org, 'orderer')));
      const [id, args] = [randomUUID(), permitOf('EE', 'PT')];
      const began = Date.now();
      const lost = ledger.submit({ id, fn: 'put-permit', args }).catch((error: unknown) => error);
      await expect.poll(() => Date.now() - ledger.lastContact(), { timeout: 30_000 }).toBeGreaterThan(5_000);
      expect(await lost).toMatchObject({ code: 'ledger.unreachable' });
      expect(await ledger.outcome(id)).toBeUndefined();
      expect(ledger.lastContact()).toBeLessThan(began + 3_000);
      await trial.stack.restart('BE', 'orderer');
      await trial.stack.restart('REG', 'orderer');
      await expect.poll(() => ledger.submit({ id, fn: 'put-permit', args }).then(() => 'done', String), { timeout: 60_000 }).toBe('done');
      expect(await outcomeOf('EE', id)).toMatchObject({ valid: true });
      await expect.poll(() => Date.now() - ledger.lastContact(), { timeout: 10_000 }).toBeLessThan(3_000);
    }, 180_000);

    it('a peer killed in the middle of acts: each stands once, and the index has no gap', async () => {
      const calls = Array.from({ length: 20 }, () => ({ id: randomUUID(), fn: 'put-permit', args: permitOf('EE', 'PT') }));
      const sent = Promise.allSettled(calls.map((call) => at('EE').ledger.submit(call)));
      await trial.stack.kill('EE', 'peer');
      await sent;
      await trial.stack.restart('EE', 'peer');
      for (const call of calls)
        await expect
          .poll(
            () =>
              at('EE')
                .ledger.submit(call)
                .then(() => 'done', String),
            { timeout: 60_000 },
          )
          .toBe('done');
      for (const { id } of calls) expect(await outcomeOf('EE', id)).toMatchObject({ valid: true });
      await everywhere();
      const blocks = await at('EE').ledger.blocks(0, 1000);
      expect(blocks.map(({ number }) => number)).toEqual(blocks.map((_, i) => i));
      const stand = blocks
        .flatMap(({ transactions }) => transactions)
        .filter(({ id, valid }) => valid && calls.some((call) => call.id === id));
      expect(stand).toHaveLength(calls.length);
    }, 180_000);

    it('an index that is emptied fills itself from the peer’s blocks to the same content', async () => {
      const { ledger, store } = at('EE');
      await everywhere();
      const before = { blocks: await store.blocks(0, 10_000), state: new Map(store.state) };
      await ledger.rebuild();
      await expect.poll(() => ledger.height(), { timeout: 30_000 }).toBe(before.blocks.length - 1);
      expect(await store.blocks(0, 10_000)).toEqual(before.blocks);
      expect(store.state).toEqual(before.state);
    });

    it('two organisations that take a third’s next keys, for an organisation that never endorses, do not stop it', async () => {
      const n = next.get('EE') ?? 0;
      const permit = permitOf('EE', 'PT');
      expect(await act('EE', 'put-permit', permit)).toMatchObject({ valid: true });
      const taken = [names.batch('EE', n), names.permitEnd('EE', permit.id)].flatMap((name) => {
        const guessed = publicly(name, { v: 1 });
        return [guessed, { ...guessed, key: `EE/${name.key}` }].map((write) => ({ ...write, keptBy: ['XX'] }));
      });
      await withAltered(async () => {
        const own: FakeWrite = { owner: 'PT', key: `tx/${randomUUID()}`, text: 'mine' };
        expect(await collude(['anchor-batch', randomUUID(), JSON.stringify({ v: 1, n, steps: [] })], [...taken, own])).toBe('VALID');
      });
      expect(await anchor('EE', { leaf: release(permit.id, 'EE', 'PT') })).toEqual(['accepted']);
      expect(await act('EE', 'end-permit', { v: 1, permitId: permit.id })).toMatchObject({ valid: true });
    });
  },
);

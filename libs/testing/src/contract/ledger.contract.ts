import { randomUUID } from 'node:crypto';
import { canonicalJson, type BatchRecord, type OrgId, type StepLeaf } from '@portolan/contracts';
import type { CommittedTx, Ledger } from '@portolan/domain';
import { names, type RecordName } from '@portolan/ledger-rules';
import { sha256 } from '@portolan/keys';
import { inclusionPath, leafHash, merkleRoot, sha256Hex, textOf, utf8 } from '@portolan/verify';
import { describe, expect, it } from 'vitest';
import { InjectedLedger, type Mishap } from './injected-ledger.js';
import { pursue, type Call } from './pursue.js';

/** A channel of at least EE, PT and BE whose ledgers run; the suite leaves its acts on it. */
export interface LedgerWorld {
  readonly countries: readonly OrgId[];
  at(org: OrgId): Ledger;
  /** Closes a country's ledger and opens it again on what it has kept. */
  reopen(org: OrgId): Promise<void>;
  /** Ends the `ledger` key under which a country's notary acts; resolves when that is committed. */
  endLedgerKey(org: OrgId): Promise<void>;
  /** Longest time for an act to stand on every copy. */
  readonly patienceMs: number;
}

const call = (fn: string, args: object): Call => ({ id: randomUUID(), fn, args });
const inMs = (ms: number): string => new Date(Date.now() + ms).toISOString();
const digest = 'ab'.repeat(32);
const hour = 3_600_000;

function permit(custodian: OrgId, recipient: OrgId): Call & { readonly args: { readonly id: string } } {
  const args = { v: 1, id: randomUUID(), custodian, recipient, purpose: 'TREAT', until: inMs(24 * hour), commitment: digest };
  return { id: randomUUID(), fn: 'put-permit', args };
}

function releaseOf({ args: { id } }: { readonly args: { readonly id: string } }, from: OrgId, to: OrgId): string {
  const parties = { transferId: randomUUID(), from, to, by: from, permitId: id };
  const sealed = { ciphertextHash: digest, commitment: digest, limit: inMs(hour), graceSeconds: 600 };
  return canonicalJson({ v: 1, step: 'released', ...parties, ...sealed } satisfies StepLeaf);
}

function receivedAfter(release: string, by: OrgId): string {
  const { transferId, from, to } = JSON.parse(release) as { transferId: string; from: OrgId; to: OrgId };
  const predecessor = sha256Hex(release, sha256);
  return canonicalJson({ v: 1, step: 'received', transferId, from, to, by, predecessor, receiptHash: digest } satisfies StepLeaf);
}

/** What everything that stands behind the port `Ledger` does, told by what its callers may rely on. `open` is asked once, in the first test. */
export function ledgerContract(name: string, open: () => LedgerWorld): void {
  const settle = (org: OrgId, act: Call): Promise<CommittedTx> => pursue(open().at(org), act, open().patienceMs);
  const everywhere = async (height: number): Promise<void> => {
    for (const org of open().countries) {
      const end = Date.now() + open().patienceMs;
      while ((await open().at(org).height()) < height && Date.now() < end)
        await open()
          .at(org)
          .beyond(height - 1, 200);
    }
  };
  const batches = new Map<OrgId, number>();
  /** A country's next batch; of one that is refused the number stays free. */
  const batch = async (org: OrgId, steps: readonly object[]): Promise<CommittedTx> => {
    const n = batches.get(org) ?? 0;
    const outcome = await settle(org, call('anchor-batch', { v: 1, n, steps }));
    if (outcome.valid) batches.set(org, n + 1);
    return outcome;
  };
  const tools: Tools = { open, settle, everywhere, batch, next: (org) => batches.get(org) ?? 0 };

  describe(`${name}: an act`, () => actContract(tools));
  describe(`${name}: batches and heads`, () => batchContract(tools));
  describe(`${name}: the copy`, () => copyContract(tools));
  describe(`${name}: what befalls a caller`, () => mishapContract(tools));
}

interface Tools {
  readonly open: () => LedgerWorld;
  readonly settle: (org: OrgId, act: Call) => Promise<CommittedTx>;
  readonly everywhere: (height: number) => Promise<void>;
  readonly batch: (org: OrgId, steps: readonly object[]) => Promise<CommittedTx>;
  readonly next: (org: OrgId) => number;
}

/** The entry of a record that stands. */
async function entry<R>(ledger: Ledger, { owner, key }: RecordName): Promise<{ readonly record: R }> {
  return JSON.parse(textOf((await ledger.record(owner, key)) ?? utf8('{}'))) as { record: R };
}

async function standing(ledger: Ledger, id: string): Promise<CommittedTx[]> {
  const found: CommittedTx[] = [];
  for (let from = 0; ; from += 50) {
    const blocks = await ledger.blocks(from, 50);
    if (blocks.length === 0) return found;
    found.push(...blocks.flatMap(({ transactions }) => transactions).filter((tx) => tx.id === id));
  }
}

function actContract({ open, settle, everywhere }: Tools): void {
  it('comes to every copy, with one outcome, one place and one record', async () => {
    const act = permit('EE', 'PT');
    const outcome = await settle('EE', act);
    expect(outcome).toMatchObject({ id: act.id, org: 'EE', role: 'notary', fn: act.fn, args: act.args, valid: true });
    expect(Math.abs(Date.parse(outcome.time) - Date.now())).toBeLessThan(120_000);
    await everywhere(outcome.block);
    for (const org of open().countries) {
      const ledger = open().at(org);
      expect(await standing(ledger, act.id)).toEqual([outcome]);
      expect(await entry(ledger, names.permit('EE', act.args.id))).toEqual({ v: 1, by: 'EE', at: outcome.time, record: act.args });
      expect(await ledger.record('PT', names.permit('EE', act.args.id).key)).toBeUndefined();
    }
  });

  it('that a rule refuses has an outcome with code and place, writes nothing, and stays refused', async () => {
    const act = permit('PT', 'BE');
    const outcome = await settle('EE', act);
    expect(outcome).toMatchObject({
      id: act.id,
      org: 'EE',
      fn: act.fn,
      args: act.args,
      valid: false,
      code: 'ledger.not-owner',
      where: 'put-permit',
    });
    await open().at('EE').submit(act);
    expect(await open().at('EE').outcome(act.id)).toEqual(outcome);
    expect(await open().at('EE').record('PT', names.permit('PT', act.args.id).key)).toBeUndefined();
  });

  it('is one act under its id, whoever asks again and whenever', async () => {
    const act = permit('EE', 'BE');
    const ledger = open().at('EE');
    await Promise.allSettled([ledger.submit(act), ledger.submit(act), ledger.submit(act)]);
    const outcome = await settle('EE', act);
    await ledger.submit(act);
    await ledger.beyond(outcome.block, 500);
    expect((await standing(ledger, act.id)).filter(({ valid }) => valid)).toEqual([outcome]);
  });

  it('of two that write the same record, one stands', async () => {
    const [one, args] = [permit('EE', 'PT'), permit('EE', 'PT').args];
    const acts = [
      { ...one, args },
      { ...permit('EE', 'PT'), args },
    ];
    const outcomes = await Promise.all(acts.map((act) => settle('EE', act)));
    expect(outcomes.map(({ valid }) => valid).sort()).toEqual([false, true]);
    expect(outcomes.find(({ valid }) => !valid)?.code).toBe('ledger.already-written');
  });
}

function batchContract({ open, settle, everywhere, batch, next }: Tools): void {
  let release: string;

  it('judge each step, and keep the root over the accepted ones', async () => {
    const ground = permit('EE', 'PT');
    await settle('EE', ground);
    release = releaseOf(ground, 'EE', 'PT');
    const n = next('EE');
    const outcome = await batch('EE', [{ leaf: releaseOf(ground, 'EE', 'BE') }, { leaf: release }, { leaf: 'nonsense' }]);
    const { transferId } = JSON.parse(release) as { transferId: string };
    expect(outcome.verdicts).toMatchObject([
      { step: 'released', accepted: false, code: 'ledger.permit-foreign' },
      { transferId, step: 'released', accepted: true, position: 0 },
      { transferId: '', step: '', accepted: false, code: 'ledger.leaf-malformed' },
    ]);
    await everywhere(outcome.block);
    const { record } = await entry<BatchRecord>(open().at('PT'), names.batch('EE', n));
    expect(record).toMatchObject({ n, count: 1, root: merkleRoot([leafHash(utf8(release), sha256)], sha256) });
  });

  it('take a step of another country on the proof of what it follows, and name the steps whose predecessor is not there', async () => {
    const after = {
      org: 'EE',
      n: next('EE') - 1,
      index: 0,
      leaf: release,
      path: inclusionPath(0, [leafHash(utf8(release), sha256)], sha256),
    };
    const steps = [
      { leaf: receivedAfter(release, 'PT'), after },
      { leaf: receivedAfter(release, 'PT'), after: { ...after, n: after.n + 500 } },
    ];
    expect(await batch('PT', steps)).toMatchObject({ valid: false, code: 'ledger.predecessor-not-visible', where: 'steps/1' });
    const outcome = await batch('PT', steps.slice(0, 1));
    expect(outcome).toMatchObject({ valid: true, verdicts: [{ step: 'received', accepted: true, position: 0 }] });
  });

  it('have no gap in their numbers', async () => {
    const ahead = call('anchor-batch', { v: 1, n: next('EE') + 1, steps: [{ leaf: 'nonsense' }] });
    expect(await settle('EE', ahead)).toMatchObject({ valid: false, code: 'ledger.batch-out-of-order' });
  });

  it('are repeated by heads, which have evidence once they are proved; nothing else that was refused has', async () => {
    const ledger = open().at('EE');
    const anchored = [];
    for (let n = 0; n < next('EE'); n += 1) {
      const { record } = await entry<BatchRecord>(ledger, names.batch('EE', n));
      anchored.push({ n, root: record.root, count: record.count });
    }
    const args = { v: 1, org: 'EE', seq: 0, size: 0, root: merkleRoot([], sha256), consistency: [], batches: anchored };
    const other = { ...args, batches: anchored.map((one) => ({ ...one, root: digest })) };
    const wrong = call('put-head', other);
    expect(await settle('EE', wrong)).toMatchObject({ valid: false, code: 'ledger.head-batch-differs' });
    const head = call('put-head', args);
    const outcome = await settle('EE', head);
    expect(outcome).toMatchObject({ valid: true });
    await everywhere(outcome.block);
    for (const org of open().countries) {
      const end = Date.now() + open().patienceMs;
      let evidence: unknown;
      while (evidence === undefined && Date.now() < end) {
        evidence = await open().at(org).evidence(head.id);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      expect(evidence).toMatchObject({ v: 1 });
    }
    expect(await ledger.evidence(wrong.id)).toBeUndefined();
    expect(await ledger.evidence(randomUUID())).toBeUndefined();
  });
}

function copyContract({ open, settle, everywhere }: Tools): void {
  it('has every block, in order and without a gap, and the same as every other', async () => {
    const { block } = await settle('PT', permit('PT', 'EE'));
    await everywhere(block);
    const told = await Promise.all(
      open().countries.map((org) =>
        open()
          .at(org)
          .blocks(0, block + 1),
      ),
    );
    expect(told[0]?.map(({ number }) => number)).toEqual(Array.from({ length: block + 1 }, (_, i) => i));
    for (const blocks of told) expect(blocks).toEqual(told[0]);
    expect(await open().at('EE').blocks(1, 2)).toEqual(told[0]?.slice(1, 3));
    expect(
      await open()
        .at('EE')
        .blocks(block + 1000, 2),
    ).toEqual([]);
  });

  it('wakes who waits for a new block, and lets go after the time', async () => {
    const ledger = open().at('PT');
    const started = performance.now();
    await ledger.beyond((await ledger.height()) + 1_000_000, 60);
    expect(performance.now() - started).toBeGreaterThanOrEqual(50);
    const height = await ledger.height();
    const woken = ledger.beyond(height, open().patienceMs).then(() => ledger.height());
    await settle('EE', permit('EE', 'PT'));
    expect(await woken).toBeGreaterThan(height);
  });

  it('is there again after a restart, and goes on', async () => {
    const act = permit('BE', 'PT');
    const outcome = await settle('BE', act);
    const blocks = await open().at('BE').blocks(0, 20);
    await open().reopen('BE');
    expect(await open().at('BE').outcome(act.id)).toEqual(outcome);
    expect(await open().at('BE').blocks(0, 20)).toEqual(blocks);
    expect(await settle('BE', permit('BE', 'EE'))).toMatchObject({ valid: true });
  });

  it('hears from the channel while nothing happens', async () => {
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    for (const org of open().countries) expect(Date.now() - open().at(org).lastContact()).toBeLessThan(5_000);
  });
}

function mishapContract({ open, settle }: Tools): void {
  const rows: Mishap[][] = [
    ['read-conflict'],
    ['endorsement-failed', 'endorsement-failed'],
    ['lost-before'],
    ['lost-after'],
    ['lost-after', 'lost-before', 'read-conflict', 'lost-after'],
  ];
  it.each(rows.map((mishaps) => [mishaps.join(', '), mishaps] as const))('%s: the act stands once in the end', async (_, mishaps) => {
    const ledger = new InjectedLedger(open().at('EE'));
    ledger.mishaps.push(...mishaps);
    const act = permit('EE', 'PT');
    const outcome = await pursue(ledger, act, open().patienceMs);
    expect(outcome).toMatchObject({ valid: true });
    expect((await standing(ledger, act.id)).filter(({ valid }) => valid)).toEqual([outcome]);
  });

  it('a notary whose registered key was ended signs nothing more, and its act stays open', async () => {
    const last = open().countries.at(-1) ?? '';
    await settle(last, permit(last, 'EE'));
    await open().endLedgerKey(last);
    const act = permit(last, 'EE');
    await expect(open().at(last).submit(act)).rejects.toMatchObject({ code: 'ledger.key-not-valid' });
    expect(await open().at(last).outcome(act.id)).toBeUndefined();
    expect(await settle('EE', permit('EE', 'PT'))).toMatchObject({ valid: true });
  });
}

import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canonicalJson, type CommittedPredecessor, type StepLeaf } from '@portolan/contracts';
import type { Clock, RoleMessages, StepName, StepRow } from '@portolan/domain';
import { addMasterKey, MasterKeyDataKeys, sha256, SystemRandom } from '@portolan/keys';
import { adminQuery, openNotaryDatabase, testCluster, type DatabaseAddress, type NotaryDatabase } from '@portolan/postgres';
import { sha256Hex } from '@portolan/verify';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { NodeLogger } from '../runtime/logger.js';
import { Batcher } from './batcher.js';
import { ChannelQueries } from './channel.queries.js';
import { Indexer } from './indexer.js';
import { RestingOn } from './resting-on.js';
import { ScriptedLedger } from './testing/scripted-ledger.js';
import { TrailQueries } from './trail.queries.js';

const noon = '2026-11-21T12:00:00.000Z';
const limit = '2026-11-21T13:00:00.000Z';
/** After limit, half an hour of grace, and two clock windows. */
const over = '2026-11-21T13:34:00.001Z';
const some = 'ab'.repeat(32);

let address: DatabaseAddress;
let home: string;
let db: NotaryDatabase;
let ledger: ScriptedLedger;
let log: string[];
let stop: (() => Promise<void>)[];
let permitId: string;
let databases = 0;

/** EE's notary on a channel with PT, over the database's real stores and the real rules. */
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'portolan-notary-'));
  await addMasterKey([home]);
});
afterAll(() => rm(home, { recursive: true, force: true }));

beforeEach(async () => {
  const cluster = await testCluster();
  // A database of its own for each test.
  ({ notary: address } = await cluster.country(`Q${String.fromCharCode(65 + databases++)}`));
  db = await openNotaryDatabase({ address, poolSize: 8 }, await MasterKeyDataKeys.open(home));
  ledger = new ScriptedLedger('EE');
  [log, stop, permitId] = [[], [], randomUUID()];
  for (const org of ['EE', 'PT']) ledger.add(org, 'put-participant', { v: 1, org, kind: 'country' });
  const permit = { v: 1, id: permitId, custodian: 'EE', recipient: 'PT', purpose: 'TREAT', until: '2026-12-01T00:00:00.000Z' };
  ledger.add('EE', 'put-permit', { ...permit, commitment: some });
  ledger.cut();
});
afterEach(async () => {
  for (const one of stop) await one();
  await db.close();
});

const clock: Clock = { now: () => Date.parse(ledger.now) };
const logger = (): NodeLogger => new NodeLogger({ country: 'EE', role: 'notary' }, 'error', (line) => log.push(line));
const queries = (): ChannelQueries => new ChannelQueries({ org: 'EE', channelName: 'test', ledger, uow: db.uow, clock, sha256 });

function partsOf(holder: string, takeOverAfterMs = 600_000) {
  const { uow, leases, wakeups } = db;
  const checkpoint = { reach: () => undefined };
  const restingOn = new RestingOn({ org: 'EE', ledger, uow, channel: queries(), clock });
  return {
    org: 'EE',
    holder,
    takeOverAfterMs,
    uow,
    ledger,
    leases,
    wakeups,
    random: new SystemRandom(),
    sha256,
    restingOn,
    checkpoint,
    logger: logger(),
  };
}
function run<Worker extends { start(): void; stop(): Promise<void> }>(worker: Worker): Worker {
  worker.start();
  stop.unshift(() => worker.stop());
  return worker;
}

const released = (transferId: string, over: object = {}): string =>
  canonicalJson({
    v: 1,
    step: 'released',
    transferId,
    from: 'EE',
    to: 'PT',
    by: 'EE',
    permitId,
    ciphertextHash: some,
    commitment: some,
    limit,
    graceSeconds: 1800,
    ...over,
  });
const following = (release: string, step: 'received' | 'expired', by: 'EE' | 'PT'): string => {
  const { transferId } = JSON.parse(release) as StepLeaf;
  const receipt = step === 'received' ? { receiptHash: some } : {};
  return canonicalJson({ v: 1, step, transferId, from: 'EE', to: 'PT', by, predecessor: sha256Hex(release, sha256), ...receipt });
};
/** Where a batch of one step stands. */
const alone = (org: string, n: number, leaf: string): CommittedPredecessor => ({ org, n, index: 0, leaf, path: [] });
const batch = (n: number, leaf: string, after?: CommittedPredecessor): object => ({
  v: 1,
  n,
  steps: [after === undefined ? { leaf } : { leaf, after }],
});

async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  for (let turn = 0; turn < 600; turn += 1) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${what}: did not happen`);
}
const indexed = (): Promise<true> =>
  until('all blocks are indexed', async () =>
    (await db.uow.run((tx) => tx.trail.checkpoint())) >= (await ledger.height()) ? true : undefined,
  );

/** What the exchange is told about a step, in order. */
async function told(step: string): Promise<RoleMessages['step.settled'][]> {
  const rows = await adminQuery<{ id: string }>(address, `SELECT id FROM notary.outbox WHERE type = 'step.settled' ORDER BY seq`);
  const bodies = await Promise.all(rows.map(({ id }) => db.outbox.body(id, 'exchange') as Promise<RoleMessages['step.settled']>));
  return bodies.filter((body) => body.step === step);
}
const add = (step: StepName & { leaf: string; evidence?: unknown }): Promise<boolean> =>
  db.uow.run((tx) => tx.steps.add({ ...step, evidence: step.evidence }));
const stepRow = (step: StepName): Promise<StepRow | undefined> => db.uow.run((tx) => tx.steps.get(step));

describe('over all batches the first counts', () => {
  it('of two ends, and the second is named in the trail and in the log', async () => {
    const transferId = randomUUID();
    const release = released(transferId);
    const after = alone('EE', 0, release);
    ledger.add('EE', 'anchor-batch', batch(0, release));
    ledger.cut();
    // The receiver's own step, dated in time, stands; then the sender anchors another end, as only a node that looks away would.
    ledger.add('PT', 'anchor-batch', batch(0, following(release, 'received', 'PT'), after), '2026-11-21T13:30:00.000Z');
    ledger.cut();
    ledger.add('EE', 'anchor-batch', batch(1, following(release, 'expired', 'EE'), after), over);
    ledger.cut();
    run(new Indexer(partsOf('one')));
    await indexed();
    const trail = new TrailQueries(db.uow, ledger, sha256);
    const { steps } = await trail.page({ transferId }, 10);
    expect(steps.map(({ step, alarm }) => [step, alarm])).toEqual([
      ['expired', 'ledger.end-repeated'],
      ['received', undefined],
      ['released', undefined],
    ]);
    expect(await trail.repeated(10)).toMatchObject([{ org: 'EE', transferId, step: 'expired', alarm: 'ledger.end-repeated' }]);
    expect(log.map((line) => JSON.parse(line) as object)).toMatchObject([{ code: 'ledger.end-repeated' }]);
    expect(log[0]).toContain(transferId);
    expect(await queries().stepOf(transferId, 'expired', 'EE')).toBeUndefined();
    expect(await queries().stepOf(transferId, 'received', 'PT')).toMatchObject({ org: 'PT', n: 0 });
  });

  it('of two releases: the second opens nothing, and is named', async () => {
    const transferId = randomUUID();
    const [first, second] = [released(transferId), released(transferId, { ciphertextHash: 'cd'.repeat(32) })];
    ledger.add('EE', 'anchor-batch', batch(0, first));
    ledger.cut();
    ledger.add('EE', 'anchor-batch', batch(1, second));
    ledger.cut();
    // Not indexed yet, so which of the two counts is not known: nothing opens.
    expect(await queries().standing(alone('EE', 1, second), 'PT')).toMatchObject({ step: 'not-visible' });
    run(new Indexer(partsOf('one')));
    await indexed();
    expect(await queries().standing(alone('EE', 0, first), 'PT')).toEqual({ step: 'stands', permit: 'live' });
    expect(await queries().standing(alone('EE', 1, second), 'PT')).toMatchObject({ step: 'mismatch' });
    expect(log.map((line) => JSON.parse(line) as object)).toMatchObject([{ code: 'ledger.release-repeated' }]);
    expect(await queries().stepOf(transferId, 'released', 'EE')).toMatchObject({ n: 0, leaf: first });
  });

  it('so an expiry of ours that comes into a block behind the receiver’s step is told as overtaken', async () => {
    const transferId = randomUUID();
    const release = released(transferId);
    const after = alone('EE', 0, release);
    run(new Indexer(partsOf('one')));
    run(new Batcher(partsOf('one')));
    await add({ transferId, step: 'released', leaf: release });
    await until('the release is submitted', async () => (ledger.waiting() > 0 ? true : undefined));
    ledger.cut();
    await until('the release is told', async () => (await told('released'))[0]);
    ledger.add('PT', 'anchor-batch', batch(0, following(release, 'received', 'PT'), after), noon);
    ledger.now = over;
    await add({ transferId, step: 'expired', leaf: following(release, 'expired', 'EE'), evidence: after });
    await until('the expiry is submitted', async () => (ledger.waiting() > 1 ? true : undefined));
    ledger.cut();
    const answer = await until('the expiry is told', async () => (await told('expired'))[0]);
    expect(answer).toMatchObject({ state: 'rejected', code: 'ledger.end-repeated', ended: 'received' });
    expect(await stepRow({ transferId, step: 'expired' })).toMatchObject({ state: 'accepted', batch: 1 });
  });

  it('and one that would come behind it is not even submitted', async () => {
    const transferId = randomUUID();
    const release = released(transferId);
    const after = alone('EE', 0, release);
    ledger.add('EE', 'anchor-batch', batch(0, release));
    ledger.cut();
    ledger.add('PT', 'anchor-batch', batch(0, following(release, 'received', 'PT'), after));
    ledger.cut();
    run(new Indexer(partsOf('one')));
    await indexed();
    ledger.now = over;
    await add({ transferId, step: 'expired', leaf: following(release, 'expired', 'EE'), evidence: after });
    run(new Batcher(partsOf('one')));
    expect(await until('the expiry is told', async () => (await told('expired'))[0])).toMatchObject({
      state: 'rejected',
      ended: 'received',
    });
    expect(ledger.waiting()).toBe(0);
    expect(await stepRow({ transferId, step: 'expired' })).toMatchObject({ state: 'rejected', code: 'ledger.end-repeated' });
  });
});

describe('each adoption', () => {
  it('of one transfer is anchored as a step of its own, and told by its id', async () => {
    const [transferId, first, second] = [randomUUID(), randomUUID(), randomUUID()];
    const release = released(transferId);
    ledger = new ScriptedLedger('PT');
    for (const org of ['EE', 'PT']) ledger.add(org, 'put-participant', { v: 1, org, kind: 'country' });
    const permit = { v: 1, id: permitId, custodian: 'EE', recipient: 'PT', purpose: 'TREAT', until: '2026-12-01T00:00:00.000Z' };
    ledger.add('EE', 'put-permit', { ...permit, commitment: some });
    ledger.add('EE', 'anchor-batch', batch(0, release));
    ledger.cut();
    const evidence = alone('EE', 0, release);
    const leaf = (commitment: string): string =>
      canonicalJson({
        v: 1,
        step: 'adopted',
        transferId,
        from: 'EE',
        to: 'PT',
        by: 'PT',
        predecessor: sha256Hex(release, sha256),
        commitment,
      });
    expect(await add({ transferId, step: 'adopted', act: first, leaf: leaf(some), evidence })).toBe(true);
    expect(await add({ transferId, step: 'adopted', act: second, leaf: leaf('cd'.repeat(32)), evidence })).toBe(true);
    expect(await add({ transferId, step: 'adopted', act: second, leaf: leaf('cd'.repeat(32)), evidence })).toBe(false);
    run(new Indexer({ ...partsOf('one'), org: 'PT' }));
    run(new Batcher({ ...partsOf('one'), org: 'PT' }));
    await until('the adoptions are submitted', async () => (ledger.waiting() > 0 ? true : undefined));
    ledger.cut();
    const answers = await until('both are told', async () => ((await told('adopted')).length === 2 ? told('adopted') : undefined));
    expect(answers.map(({ act, state, stands }) => [act, state, stands?.index])).toEqual([
      [first, 'accepted', 0],
      [second, 'accepted', 1],
    ]);
    await indexed();
    expect(await db.uow.run((tx) => tx.trail.steps({ transferId, step: 'adopted', alarm: 'false' }, 10))).toHaveLength(2);
  });
});

describe('a batcher frozen beyond its lease', () => {
  it('settles nothing when it wakes, least of all the batch that came after', async () => {
    const transferId = randomUUID();
    const release = released(transferId);
    await add({ transferId, step: 'released', leaf: release });
    // The first copy submits its batch, which turns out invalid; with that outcome in its hands it freezes.
    let wake = (): void => undefined;
    const frozen = new Promise<void>((resolve) => (wake = resolve));
    let isFrozen = false;
    const one = run(new Batcher(partsOf('one', 400)));
    await until('the batch is submitted', async () => (ledger.waiting() > 0 ? true : undefined));
    ledger.beforeOutcome = async () => {
      if (isFrozen) return;
      isFrozen = true;
      await frozen;
    };
    ledger.cut('orderer.time-window');
    await until('the first copy is frozen', async () => (isFrozen ? true : undefined));
    // The second takes over when the lease is over: it takes that batch apart and submits the step anew, under the number that is free again.
    run(new Batcher(partsOf('two', 60_000)));
    await until('the next batch is submitted', async () => (ledger.waiting() > 0 ? true : undefined));
    wake();
    await until('the first copy is fenced off', async () => (log.some((line) => line.includes('store.fenced')) ? true : undefined));
    expect(await db.uow.run((tx) => tx.batches.open())).toMatchObject({ n: 0, state: 'open' });
    await one.stop();
    run(new Indexer(partsOf('two')));
    ledger.cut();
    await until('it is told', async () => (await told('released'))[0]);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await told('released')).map(({ state, stands }) => [state, stands?.n])).toEqual([['accepted', 0]]);
    expect(ledger.waiting()).toBe(0);
  });
});

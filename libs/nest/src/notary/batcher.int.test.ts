import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canonicalJson, type AnchorBatchArgs } from '@portolan/contracts';
import type { Clock, StepRow } from '@portolan/domain';
import { addMasterKey, MasterKeyDataKeys, sha256, SystemRandom } from '@portolan/keys';
import { openNotaryDatabase, testCluster, type NotaryDatabase } from '@portolan/postgres';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { NodeLogger } from '../runtime/logger.js';
import { Batcher } from './batcher.js';
import { ChannelQueries } from './channel.queries.js';
import { RestingOn } from './resting-on.js';
import { LosingLedger, type Submitted } from './testing/losing-ledger.js';

const some = 'ab'.repeat(32);

let home: string;
let db: NotaryDatabase;
let ledger: LosingLedger;
let batcher: Batcher;
let permitId: string;
let databases = 0;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'portolan-batcher-'));
  await addMasterKey([home]);
});
afterAll(() => rm(home, { recursive: true, force: true }));

beforeEach(async () => {
  const { notary: address } = await (await testCluster()).country(`Z${String.fromCharCode(65 + databases++)}`);
  db = await openNotaryDatabase({ address, poolSize: 8 }, await MasterKeyDataKeys.open(home));
  ledger = new LosingLedger('EE');
  permitId = randomUUID();
  for (const org of ['EE', 'PT']) ledger.add(org, 'put-participant', { v: 1, org, kind: 'country' });
  const permit = { v: 1, id: permitId, custodian: 'EE', recipient: 'PT', purpose: 'TREAT', until: '2026-12-01T00:00:00.000Z' };
  ledger.add('EE', 'put-permit', { ...permit, commitment: some });
  ledger.cut();
  batcher = new Batcher(partsOf());
});
afterEach(async () => {
  await batcher.stop();
  await db.close();
});

function partsOf(): ConstructorParameters<typeof Batcher>[0] {
  const { uow, leases, wakeups } = db;
  const clock: Clock = { now: () => Date.parse(ledger.now) };
  const channel = new ChannelQueries({ org: 'EE', channelName: 'test', ledger, uow, clock, sha256 });
  const restingOn = new RestingOn({ org: 'EE', ledger, uow, channel, clock });
  const logger = new NodeLogger({ country: 'EE', role: 'notary' }, 'silent', () => undefined);
  const tools = { random: new SystemRandom(), sha256, checkpoint: { reach: () => undefined }, logger };
  return { org: 'EE', holder: 'one', takeOverAfterMs: 600_000, uow, leases, wakeups, ledger, restingOn, ...tools };
}

/** Releases that wait to be anchored, by their transfers. */
async function releases(count: number): Promise<readonly string[]> {
  const ids = Array.from({ length: count }, () => randomUUID());
  for (const transferId of ids) {
    const parties = { transferId, from: 'EE', to: 'PT', by: 'EE', permitId, ciphertextHash: some, commitment: some };
    const leaf = canonicalJson({ v: 1, step: 'released', ...parties, limit: '2026-11-21T13:00:00.000Z', graceSeconds: 1800 });
    await db.uow.run((tx) => tx.steps.add({ transferId, step: 'released', leaf, evidence: undefined }));
  }
  return ids;
}
const stepOf = (transferId: string): Promise<StepRow | undefined> => db.uow.run((tx) => tx.steps.get({ transferId, step: 'released' }));
const waits = (count: number): Promise<void> => expect.poll(() => ledger.waiting(), { timeout: 10_000 }).toBe(count);
const settled = (ids: readonly string[]): Promise<void> =>
  expect
    .poll(async () => (await Promise.all(ids.map(stepOf))).map((row) => row?.state), { timeout: 10_000 })
    .toEqual(ids.map(() => 'accepted'));
/** Each transaction once: a slow machine may submit one again while it waits. */
const transactions = (): Submitted[] => [...new Map(ledger.submitted.map((one) => [one.id, one])).values()];
const batches = (): AnchorBatchArgs[] => transactions().map(({ args }) => args as AnchorBatchArgs);
const sizes = (): number[] => batches().map(({ steps }) => steps.length);

it('asks for a batch whose answer was lost, and submits no other in its place', async () => {
  ledger.losses.push('after');
  const ids = await releases(3);
  batcher.start();
  await waits(1);
  const more = await releases(1);
  ledger.cut();
  await settled(ids);
  await waits(1);
  ledger.cut();
  await settled(more);
  expect(sizes()).toEqual([3, 1]);
  expect(batches().map(({ n }) => n)).toEqual([0, 1]);
});

it('submits the same transaction with the same number again where it never came to the channel', async () => {
  ledger.losses.push('before', 'before');
  const ids = await releases(2);
  batcher.start();
  await waits(1);
  await releases(1);
  ledger.cut();
  await settled(ids);
  const [first, ...others] = ledger.submitted.slice(0, 3);
  expect(others).toEqual([first, first]);
});

it('halves a batch that is refused, under the same number, until what is left of it is taken', async () => {
  const ids = await releases(5);
  batcher.start();
  for (let refused = 0; refused < 2; refused += 1) {
    await waits(1);
    ledger.cut('ledger.transaction-too-large');
  }
  for (const wanted of [1, 4]) {
    await waits(1);
    expect(sizes().at(-1)).toBe(wanted);
    ledger.cut();
  }
  await settled(ids);
  expect(sizes()).toEqual([5, 2, 1, 4]);
  expect(batches().map(({ n }) => n)).toEqual([0, 0, 0, 1]);
});

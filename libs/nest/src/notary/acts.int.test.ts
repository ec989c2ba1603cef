import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PutPermitsArgs } from '@portolan/contracts';
import type { ActRow, Clock } from '@portolan/domain';
import { addMasterKey, MasterKeyDataKeys, sha256, SystemRandom } from '@portolan/keys';
import { openNotaryDatabase, testCluster, type NotaryDatabase } from '@portolan/postgres';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { NodeLogger } from '../runtime/logger.js';
import { ActAnchor } from './acts.js';
import { ChannelQueries } from './channel.queries.js';
import { RestingOn } from './resting-on.js';
import { LosingLedger, type Submitted } from './testing/losing-ledger.js';

let home: string;
let db: NotaryDatabase;
let ledger: LosingLedger;
let anchors: ActAnchor[];
let databases = 0;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'portolan-acts-'));
  await addMasterKey([home]);
});
afterAll(() => rm(home, { recursive: true, force: true }));

beforeEach(async () => {
  const { notary: address } = await (await testCluster()).country(`Y${String.fromCharCode(65 + databases++)}`);
  db = await openNotaryDatabase({ address, poolSize: 8 }, await MasterKeyDataKeys.open(home));
  ledger = new LosingLedger('EE');
  for (const org of ['EE', 'PT']) ledger.add(org, 'put-participant', { v: 1, org, kind: 'country' });
  ledger.cut();
  anchors = [];
});
afterEach(async () => {
  await Promise.all(anchors.map((one) => one.stop()));
  await db.close();
});

function anchor(more: { mostTogether?: number } = {}): ActAnchor {
  const { uow, wakeups } = db;
  const clock: Clock = { now: () => Date.parse(ledger.now) };
  const channel = new ChannelQueries({ org: 'EE', channelName: 'test', ledger, uow, clock, sha256 });
  const restingOn = new RestingOn({ org: 'EE', ledger, uow, channel, clock });
  const logger = new NodeLogger({ country: 'EE', role: 'notary' }, 'silent', () => undefined);
  const made = new ActAnchor({ uow, ledger, restingOn, random: new SystemRandom(), logger, wakeups, takeOverAfterMs: 1_500, ...more });
  anchors.push(made);
  return made;
}

async function permits(count: number, recipient = 'PT'): Promise<readonly string[]> {
  const ids = Array.from({ length: count }, () => randomUUID());
  for (const id of ids) {
    const args = { v: 1, id, custodian: 'EE', recipient, purpose: 'TREAT', until: '2026-12-01T00:00:00.000Z', commitment: 'ab'.repeat(32) };
    await db.uow.run((tx) => tx.acts.add(id, 'put-permit', args));
  }
  return ids;
}

const acts = (ids: readonly string[]): Promise<readonly (ActRow | undefined)[]> =>
  Promise.all(ids.map((id) => db.uow.run((tx) => tx.acts.get(id))));
const become = (ids: readonly string[], states: readonly string[]): Promise<void> =>
  expect.poll(async () => (await acts(ids)).map((act) => act?.state), { timeout: 20_000 }).toEqual(states);
const came = (count: number): Promise<void> => expect.poll(() => ledger.submitted.length, { timeout: 20_000 }).toBe(count);
const permitsIn = (call: Submitted | undefined): readonly string[] => (call?.args as PutPermitsArgs).permits.map(({ id }) => id);
const told = async (): Promise<number> => {
  const messages = await db.uow.run((tx) => tx.outbox.take(100, 60_000));
  return messages.filter(({ type }) => type === 'act.settled').length;
};

describe('permits that wait together', () => {
  it('go in one transaction, and none waits for company', async () => {
    const [first] = await permits(1);
    anchor().start();
    await came(1);
    const others = await permits(3);
    // They wait here, and not in the table, when the first is through.
    await expect.poll(async () => (await acts(others)).map((act) => act?.attempts)).toEqual([1, 1, 1]);
    ledger.cut();
    await came(2);
    ledger.cut();
    await become([first!, ...others], ['committed', 'committed', 'committed', 'committed']);
    expect(ledger.submitted.map(({ id, fn }) => (fn === 'put-permit' ? id : fn))).toEqual([first, 'put-permits']);
    expect(permitsIn(ledger.submitted[1])).toEqual(others);
    expect(await told()).toBe(4);
  });

  it('go each by itself, and beside each other, where one transaction is to hold one', async () => {
    const ids = await permits(3);
    anchor({ mostTogether: 1 }).start();
    await came(3);
    expect(ledger.submitted.map(({ fn }) => fn)).toEqual(['put-permit', 'put-permit', 'put-permit']);
    ledger.cut();
    await become(ids, ['committed', 'committed', 'committed']);
  });

  it('go each by itself where one of them is refused, so that the others stand', async () => {
    const good = await permits(2);
    const bad = await permits(1, 'LV');
    const alsoGood = await permits(1);
    anchor().start();
    await came(1);
    expect(permitsIn(ledger.submitted[0])).toEqual([...good, ...bad, ...alsoGood]);
    ledger.cut();
    const cutting = setInterval(() => ledger.cut(), 100);
    await become([...good, ...bad, ...alsoGood], ['committed', 'committed', 'invalid', 'committed']);
    clearInterval(cutting);
    expect((await acts(bad))[0]?.code).toBe('ledger.participant-unknown');
    expect(ledger.submitted.slice(1).map(({ fn }) => fn)).toEqual(Array.from({ length: 4 }, () => 'put-permit'));
    expect(await told()).toBe(4);
  });

  it('are asked for under the id that they went by, after an answer was lost', async () => {
    ledger.losses.push('after');
    const ids = await permits(3);
    anchor().start();
    await came(1);
    ledger.cut();
    await become(
      ids,
      ids.map(() => 'committed'),
    );
    expect(ledger.submitted).toHaveLength(1);
    expect(await told()).toBe(3);
  });

  it('go on where another process left them: the same transaction, not a second one', async () => {
    const ids = await permits(3);
    const bundle = randomUUID();
    await db.uow.run((tx) => tx.acts.bundle(ids, bundle));
    anchor().start();
    anchor().start();
    await came(1);
    ledger.cut();
    await become(
      ids,
      ids.map(() => 'committed'),
    );
    expect(ledger.submitted.map(({ id }) => id)).toEqual([bundle]);
  });

  it('count as written when another copy wrote them with others meanwhile', async () => {
    const ids = await permits(2);
    const rows = await acts(ids);
    anchor().start();
    await came(1);
    // A copy that was frozen, and had them in its hands, wakes and sends them under a name of its own before our block is cut.
    const sent = permitsIn(ledger.submitted[0]);
    expect(sent).toEqual(ids);
    const [ours] = ledger.submitted;
    ledger.cut();
    await become(ids, ['committed', 'committed']);
    ledger.add('EE', 'put-permits', { v: 1, permits: rows.map((row) => row?.args) });
    ledger.cut();
    const [third] = await permits(1);
    ledger.add('EE', 'put-permits', { v: 1, permits: (await acts([third!])).map((row) => row?.args) });
    await came(2);
    ledger.cut();
    await become([third!], ['committed']);
    expect(ours?.fn).toBe('put-permits');
  });

  it('belong to whoever bundled them first', async () => {
    const ids = await permits(2);
    const [ours, theirs] = [randomUUID(), randomUUID()];
    await db.uow.run((tx) => tx.acts.bundle(ids, theirs));
    await db.uow.run((tx) => tx.acts.bundle(ids, ours));
    expect(await db.uow.run((tx) => tx.acts.ofBundle(ours))).toEqual([]);
    expect((await db.uow.run((tx) => tx.acts.ofBundle(theirs))).map(({ id }) => id)).toEqual(ids);
  });
});

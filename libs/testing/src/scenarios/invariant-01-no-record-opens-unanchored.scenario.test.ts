import { canonicalJson, type CommittedPredecessor } from '@portolan/contracts';
import { beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../story/wait.js';
import { Asker, type Obtained } from './abroad.js';
import { rows } from './backstage.js';
import { Herself, newcomer, type Newcomer } from './cast.js';
import { Forger, holdBack } from './forger.js';
import { sharedWorld, type SharedWorld } from './shared-world.js';

const CANARY = 'Forged Condition Canary';
const FORGED = JSON.stringify({ resourceType: 'Bundle', type: 'document', entry: [], note: CANARY });

describe('no record opens unless its release is on the channel', () => {
  let world: SharedWorld;
  let person: Newcomer;
  let herself: Herself;
  let asker: Asker;
  let genuine: Obtained;
  let consent: string;
  const forger = (): Forger => new Forger(world, 'EE', 'PT');

  beforeAll(async () => {
    world = await sharedWorld();
    person = await newcomer(world, 'EE');
    herself = new Herself(world, person);
    asker = new Asker(world, 'PT', 'EE');
    consent = await herself.permits(['PT'], ['laboratory', 'summary']);
    genuine = await asker.obtain(person, ['laboratory']);
  });

  /** What PT's exchange recorded of a transfer, and whether its edge keeps anything of it. */
  const seenAtPt = async (transfer: string) => {
    const events = await rows<{ type: string }>(world, 'PT', 'SELECT type FROM exchange.audit_event WHERE transfer_id = $1', [transfer]);
    const views = await rows(world, 'PT', 'SELECT id FROM edge.view WHERE transfer_id = $1', [transfer]);
    return { events: events.map(({ type }) => type), views: views.length };
  };
  const anchored = async (transfer: string, step: string): Promise<CommittedPredecessor | undefined> => {
    const found = `SELECT t.org, t.batch::int AS n, t.leaf_index AS index, t.leaf, t.reason FROM notary.trail_step t WHERE transfer_id = $1 AND step = $2`;
    const [row] = await rows<CommittedPredecessor>(world, 'PT', found, [transfer, step]);
    return row;
  };
  /** The exact place of a release on the channel, as EE's own exchange keeps it. */
  const placeOf = async (transfer: string): Promise<CommittedPredecessor> => {
    let found: CommittedPredecessor | undefined;
    await eventually('the release stands at PT', async () => (found = await anchored(transfer, 'released')) !== undefined);
    const { org, n, index, leaf } = found as CommittedPredecessor;
    const others = await rows<{ leaf: string }>(world, 'PT', 'SELECT leaf FROM notary.trail_step WHERE org = $1 AND batch = $2', [org, n]);
    if (others.length !== 1) throw new Error('this scenario expects a batch of its own');
    return { org, n, index, leaf, path: [] };
  };
  const refused = async (transfer: string, reason: string): Promise<void> => {
    await eventually('PT refuses', async () => (await seenAtPt(transfer)).events.includes('record-open-refused'));
    const { events, views } = await seenAtPt(transfer);
    expect(events).not.toContain('record-opened');
    expect(views).toBe(0);
    const steps = () => rows<{ leaf: string }>(world, 'PT', 'SELECT leaf FROM notary.step WHERE transfer_id = $1', [transfer]);
    await eventually('PT means to anchor its refusal', async () => (await steps()).length > 0);
    expect((await steps()).map(({ leaf }) => JSON.parse(leaf) as object)).toEqual([expect.objectContaining({ step: 'refused', reason })]);
  };
  const ends = (country: string, transfer: string, states: readonly string[]): Promise<void> =>
    eventually(`the transfer ends at ${country}`, async () => {
      const found = await rows<{ state: string }>(world, country, 'SELECT state FROM exchange.transfer WHERE transfer_id = $1', [transfer]);
      return states.includes(found[0]?.state ?? '');
    });

  it('refuses a well-signed record whose leaf nobody anchored', async () => {
    const line = await holdBack(world, 'EE');
    try {
      const { transfer, look } = await asker.begin(genuine.handle, ['summary']);
      await ends('EE', transfer, ['requested', 'permitting', 'permitted', 'assembled', 'sealed', 'anchored']);
      const { sealed, leaf } = await forger().record(transfer, FORGED);
      await forger().sendRecord(transfer, sealed, { org: 'EE', n: 900_000, index: 0, leaf: canonicalJson(leaf), path: [] });
      await refused(transfer, 'step-missing');
      const answer = await look();
      expect(answer.text).toContain('receive.refused');
      expect(answer.text).not.toContain(CANARY);
      await ends('PT', transfer, ['done', 'failed']);
    } finally {
      await line.release();
    }
  });

  it('refuses it under the leaf of another transfer that stands', async () => {
    const line = await holdBack(world, 'EE');
    try {
      const { transfer, look } = await asker.begin(genuine.handle, ['summary']);
      await ends('EE', transfer, ['requested', 'permitting', 'permitted', 'assembled', 'sealed', 'anchored']);
      const { sealed } = await forger().record(transfer, FORGED);
      await forger().sendRecord(transfer, sealed, await placeOf(genuine.transfer));
      await refused(transfer, 'step-mismatch');
      expect((await look()).text).toContain('receive.refused');
      await ends('PT', transfer, ['done', 'failed']);
    } finally {
      await line.release();
    }
  });

  it('refuses other bytes than those that the anchored leaf names, and the sender hears of it', async () => {
    const line = await holdBack(world, 'EE');
    let begun: string;
    try {
      const { transfer } = await asker.begin(genuine.handle, ['laboratory']);
      begun = transfer;
      const place = await placeOf(transfer);
      const { sealed } = await forger().record(transfer, FORGED);
      await forger().sendRecord(transfer, sealed, place);
      await refused(transfer, 'step-mismatch');
    } finally {
      await line.release();
    }
    await eventually('the refusal is on the channel', async () => (await anchored(begun, 'refused')) !== undefined);
    await ends('EE', begun, ['refused']);
    expect((await seenAtPt(begun)).events).not.toContain('record-opened');
  });

  it('refuses the genuine record where its permit ended on the way', async () => {
    const line = await holdBack(world, 'EE');
    let begun: string;
    try {
      const { transfer } = await asker.begin(genuine.handle, ['laboratory']);
      begun = transfer;
      await placeOf(transfer);
      await herself.withdraws(consent);
      const [permit] = await rows<{ permit_id: string }>(world, 'PT', 'SELECT permit_id FROM notary.trail_step WHERE transfer_id = $1', [
        transfer,
      ]);
      await eventually('the permit has ended at PT', async () => {
        const ended = 'SELECT id FROM notary.trail_permit WHERE id = $1 AND ended_at IS NOT NULL';
        return (await rows(world, 'PT', ended, [permit?.permit_id])).length === 1;
      });
    } finally {
      await line.release();
    }
    await refused(begun, 'permit-ended');
    await ends('EE', begun, ['refused']);
  });
});

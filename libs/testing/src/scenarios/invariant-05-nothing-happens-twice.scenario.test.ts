import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../story/wait.js';
import { Asker, type Obtained } from './abroad.js';
import { rows, stolenLink } from './backstage.js';
import { filed, Herself, messagesAbout, newcomer, somebody, type Newcomer } from './cast.js';
import { Forger } from './forger.js';
import { sharedWorld, type SharedWorld } from './shared-world.js';

interface Kept {
  readonly id: string;
  readonly key: string;
  readonly body: Buffer;
}

describe('nothing happens twice', () => {
  let world: SharedWorld;
  let person: Newcomer;
  let obtained: Obtained;

  beforeAll(async () => {
    world = await sharedWorld();
    person = await newcomer(world, 'EE');
    await new Herself(world, person).permits(['PT'], ['laboratory', 'summary']);
    obtained = await new Asker(world, 'PT', 'EE').obtain(person, ['laboratory', 'summary']);
    await eventually('the transfer is closed at both', async () => (await statesOf(obtained.transfer)).join() === 'closed,done');
  });

  const statesOf = async (transfer: string): Promise<readonly string[]> => {
    const sql = 'SELECT state FROM exchange.transfer WHERE transfer_id = $1';
    const both = await Promise.all(['EE', 'PT'].map((country) => rows<{ state: string }>(world, country, sql, [transfer])));
    return both.map(([one]) => one?.state ?? 'none');
  };
  /** Everything of one person at EE: ids and versions of her resources, messages, events. */
  const recordOf = async (who: Newcomer) => {
    const sql = `SELECT v.type, v.id, v.version_id FROM edge.resource_version v JOIN edge.person_identifier i ON i.person = v.person WHERE i.value = $1 ORDER BY 1, 2, 3`;
    return rows<{ type: string; id: string; version_id: number }>(world, 'EE', sql, [who.identifier.value]);
  };
  /** All that came of one transfer, at both countries and on the channel. */
  const traceOf = async (transfer: string) => {
    const events = `SELECT type, count(*)::int AS n FROM exchange.audit_event WHERE transfer_id = $1 GROUP BY 1 ORDER BY 1`;
    const steps = `SELECT org, step, count(*)::int AS n FROM notary.trail_step WHERE transfer_id = $1 GROUP BY 1, 2 ORDER BY 1, 2`;
    return {
      atEe: await rows(world, 'EE', events, [transfer]),
      atPt: await rows(world, 'PT', events, [transfer]),
      views: await rows(world, 'PT', 'SELECT id FROM edge.view WHERE transfer_id = $1', [transfer]),
      steps: await rows(world, 'DE', steps, [transfer]),
      states: await statesOf(transfer),
    };
  };
  /** An envelope as its sender still keeps it. */
  const envelope = async (country: string, kind: string): Promise<Kept> => {
    const sql = `SELECT id, key, body FROM exchange.outgoing WHERE key = $1 AND position($2 in encode(body, 'escape')) > 0`;
    const [found] = await rows<Kept>(world, country, sql, [obtained.transfer, `"kind":"${kind}"`]);
    if (found === undefined) throw new Error(`no ${kind} left ${country}`);
    return found;
  };
  /** The same bytes again, in the same partner's name; under their own id, or under a new one. */
  async function replay(from: string, to: string, { id, key, body }: Kept, fresh: boolean): Promise<void> {
    const renamed = randomUUID();
    const again = fresh ? { id: `${renamed}.1`, body: Buffer.from(body.toString('utf8').replace(id, `${renamed}.1`)) } : { id, body };
    const link = stolenLink(world, from);
    await link.send(to, { ...again, key }).finally(() => link.close());
    await eventually('the copy was dealt with', async () => {
      const state = await rows<{ state: string }>(world, to, 'SELECT state FROM exchange.incoming WHERE id = $1', [again.id]);
      return state.length === 1 && state[0]?.state !== 'waiting';
    });
  }

  it('files the same message once, however often and however it comes', async () => {
    const who = somebody('EE');
    const messages = await messagesAbout(who);
    const acks = await Promise.all(
      messages.flatMap((message) => [message, message, message]).map((message) => filed(world.at('EE'), message)),
    );
    const once = await recordOf(who);
    expect(once.length).toBeGreaterThan(3);
    expect(new Set(once.map(({ version_id: version }) => version))).toEqual(new Set([1]));
    for (const message of messages) acks.push(await filed(world.at('EE'), message));
    expect(await recordOf(who)).toEqual(once);
    expect(acks).toHaveLength(8);
    const kept = `SELECT count(*)::int AS n FROM edge.message WHERE control_id LIKE $1`;
    expect(await rows(world, 'EE', kept, [`%${who.mark}`])).toEqual([{ n: messages.length }]);
  });

  it('answers the same message over HTTP with the same id', async () => {
    const [message] = await messagesAbout(somebody('EE'));
    const ee = world.at('EE');
    const token = await ee.systemToken();
    const body = Buffer.from(message ?? []);
    const answers = await Promise.all([1, 2, 3].map(() => ee.call('/ingest', { token, body, type: 'x-application/hl7-v2+er7' })));
    expect(new Set(answers.map(({ headers }) => headers.get('portolan-message'))).size).toBe(1);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  it('opens a record once, though its envelope comes again', async () => {
    const before = await traceOf(obtained.transfer);
    const record = await envelope('EE', 'record');
    await replay('EE', 'PT', record, false);
    await replay('EE', 'PT', record, true);
    expect(await traceOf(obtained.transfer)).toEqual(before);
    expect(before.views).toHaveLength(1);
    expect(before.steps).toEqual([
      expect.objectContaining({ step: 'released', n: 1 }),
      expect.objectContaining({ step: 'received', n: 1 }),
    ]);
  });

  it('decides a request once, though it comes again', async () => {
    const before = await traceOf(obtained.transfer);
    const permits = 'SELECT count(*)::int AS n FROM exchange.permit WHERE transfer_id = $1';
    const decided = await rows(world, 'EE', permits, [obtained.transfer]);
    const request = await envelope('PT', 'request');
    await replay('PT', 'EE', request, false);
    await replay('PT', 'EE', request, true);
    await pause(2_000);
    expect(await traceOf(obtained.transfer)).toEqual(before);
    expect(decided).toEqual([{ n: 1 }]);
    expect(await rows(world, 'EE', permits, [obtained.transfer])).toEqual(decided);
  });

  it('closes a transfer once, though the counter-receipt comes again, or from somebody else', async () => {
    const before = await traceOf(obtained.transfer);
    const receipt = await envelope('PT', 'counter-receipt');
    await replay('PT', 'EE', receipt, true);
    await replay('DE', 'EE', receipt, true);
    expect(await traceOf(obtained.transfer)).toEqual(before);
  });

  it('knows an envelope again that came so long ago that its id was forgotten', async () => {
    const before = await traceOf(obtained.transfer);
    const old: readonly (readonly [from: string, to: string, envelope: Kept])[] = [
      ['PT', 'EE', await envelope('PT', 'request')],
      ['EE', 'PT', await envelope('EE', 'record')],
      ['PT', 'EE', await envelope('PT', 'counter-receipt')],
    ];
    for (const [from, to, one] of old) {
      // As the node itself does it after 35 days.
      await rows(world, to, 'DELETE FROM exchange.incoming WHERE id = $1', [one.id]);
      await replay(from, to, one, false);
    }
    await pause(2_000);
    expect(await traceOf(obtained.transfer)).toEqual(before);
  });

  it('takes a notice once, and none that is older than the ids by which it would be known', async () => {
    const forger = new Forger(world, 'PT', 'EE');
    const [permit] = await rows<{ id: string }>(world, 'EE', 'SELECT id FROM exchange.permit WHERE transfer_id = $1', [obtained.transfer]);
    const days = 86_400_000;
    const notice = async (age: number): Promise<{ id: string; code: string | null; state: string }> => {
      const time = new Date(Date.now() - age).toISOString();
      const head = forger.head('notice', obtained.transfer);
      const about = {
        kind: 'accessed',
        permitId: permit?.id,
        items: [{ type: 'Observation', id: 'one', change: 'viewed' }],
        transferId: obtained.transfer,
      };
      const content = JSON.stringify({ v: 1, id: randomUUID(), from: 'PT', to: 'EE', time, ...about });
      const { hashes, parts } = await forger.seal('notice', obtained.transfer, content);
      const envelope = { v: 1, id: `${randomUUID()}.1`, ...head, n: 1, parts: hashes, sealed: parts[0] };
      const id = await forger.send(envelope);
      const sql = `SELECT id, code, state FROM exchange.incoming WHERE id = $1 AND state <> 'waiting'`;
      await eventually('the notice was dealt with', async () => (await rows(world, 'EE', sql, [id])).length === 1);
      return (await rows<{ id: string; code: string | null; state: string }>(world, 'EE', sql, [id]))[0]!;
    };
    const read = async (): Promise<number> => {
      const sql = `SELECT 1 FROM exchange.audit_event WHERE transfer_id = $1 AND type = 'view-read-abroad'`;
      return (await rows(world, 'EE', sql, [obtained.transfer])).length;
    };
    const before = await read();
    expect(await notice(29 * days)).toMatchObject({ state: 'done' });
    expect(await read()).toBe(before + 1);
    expect(await notice(31 * days)).toMatchObject({ state: 'dead', code: 'exchange.notice-stale' });
    expect(await notice(-1 * days)).toMatchObject({ state: 'dead', code: 'exchange.notice-stale' });
    expect(await read()).toBe(before + 1);
  });

  it('tells the person once of each', async () => {
    const lines = (await new Herself(world, person).feed())
      .filter(({ transferId }) => transferId === obtained.transfer)
      .map(({ act }) => act);
    expect(lines.filter((act) => act === 'record-released')).toHaveLength(1);
    expect(lines.filter((act) => act === 'record-received-abroad')).toHaveLength(1);
  });
});

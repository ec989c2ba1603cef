import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Answer } from '../client/country-client.js';
import { sendMllp } from '../client/mllp.js';
import { repository } from '../world/world.js';
import { eventually } from '../story/wait.js';
import { Asker } from './abroad.js';
import { rows } from './backstage.js';
import { filed, Herself, messagesAbout, newcomer, somebody } from './cast.js';
import { holdBack } from './forger.js';
import { sharedWorld, type SharedWorld } from './shared-world.js';

const fixtures = join(repository, 'libs/formats/fixtures');

interface Reject {
  readonly id: string;
  readonly messageId: string;
  readonly code: string;
  readonly where: string;
  readonly next: string;
}

describe('nothing is lost', () => {
  let world: SharedWorld;
  let operator: string;

  beforeAll(async () => {
    world = await sharedWorld();
    operator = await world.at('PT').login('operator');
  });

  const pt = (path: string, body?: string | Uint8Array<ArrayBuffer>): Promise<Answer> =>
    world.at('PT').call(path, { token: operator, ...(body === undefined ? {} : { body, type: 'application/octet-stream' }) });
  const rejects = async (): Promise<readonly Reject[]> => (await pt('/operator/rejects')).json<{ rejects: readonly Reject[] }>().rejects;
  const stored = async (): Promise<Record<string, number>> => {
    const found = await rows<{ state: string; n: number }>(world, 'PT', 'SELECT state, count(*)::int AS n FROM edge.message GROUP BY 1');
    return Object.fromEntries(found.map(({ state, n }) => [state, n]));
  };
  const original = async ({ id }: Reject): Promise<string> => (await pt(`/operator/rejects/${id}/original`)).text;

  it('keeps each input, usable or not: as a record, or as a reject that holds the very bytes', async () => {
    const [before, known] = [await stored(), new Set((await rejects()).map(({ id }) => id))];
    const [admission = new Uint8Array(), results = new Uint8Array()] = await messagesAbout(somebody('PT'));
    const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
    const mark = Math.random().toString(36).slice(2);
    const broken: readonly (readonly [door: 'mllp' | 'http', bytes: Buffer])[] = [
      ['mllp', Buffer.from(`nothing of HL7 ${mark}`)],
      ['mllp', Buffer.from(text(admission).replace(/\|19\d{6}\|F/, `|19991399|F`), 'latin1')],
      ['mllp', Buffer.from(text(admission).replace(/PID\|[^\r]*\r/, ''), 'latin1')],
      ['mllp', Buffer.from(text(admission).replace('ADT^A01', 'ZZZ^Z01'), 'latin1')],
      ['mllp', Buffer.from(text(admission).replace('SIEX|', `ESTRANHO-${mark}|`), 'latin1')],
      ['mllp', Buffer.from(text(results).slice(0, text(results).indexOf('OBR|')) + mark, 'latin1').subarray(0, 150)],
      ['http', Buffer.from(`<ClinicalDocument xmlns="urn:hl7-org:v3"><id root="${mark}"`)],
      ['http', Buffer.from([0xff, 0xfe, 0x00, ...Buffer.from(mark)])],
      ['http', Buffer.from(`{"resourceType":"Bundle","id":"${mark}"}`)],
      ['http', Buffer.from(`<kmehrmessage><x>${mark}</x></kmehrmessage>`)],
    ];
    const token = await world.at('PT').systemToken();
    for (const [door, bytes] of broken) {
      if (door === 'mllp') expect(await sendMllp(world.at('PT').config.mllp, bytes)).toMatch(/\rMSA\|A[ER]/);
      else
        expect(
          (await world.at('PT').call('/ingest', { token, body: new Uint8Array(bytes), type: 'application/octet-stream' })).status,
        ).toBeGreaterThanOrEqual(400);
    }
    await filed(world.at('PT'), admission);
    const fresh = (await rejects()).filter(({ id }) => !known.has(id));
    expect(fresh).toHaveLength(broken.length);
    const kept = new Set(await Promise.all(fresh.map(async (reject) => Buffer.from(await original(reject)).toString('utf8'))));
    for (const [, bytes] of broken)
      expect(kept, bytes.toString('latin1').slice(0, 60)).toContain(Buffer.from(bytes.toString('utf8')).toString('utf8'));
    for (const reject of fresh) expect([reject.code !== '', reject.where !== '', reject.next !== '']).toEqual([true, true, true]);
    const after = await stored();
    expect((after['rejected'] ?? 0) - (before['rejected'] ?? 0)).toBe(broken.length);
    expect((after['stored'] ?? 0) - (before['stored'] ?? 0)).toBe(1);
    const health = (await pt('/operator/health')).json<{ ok: boolean; checks: readonly { name: string; ok: boolean }[] }>();
    expect(health.checks.find(({ name }) => name === 'rejects')).toMatchObject({ ok: false });
  });

  it('makes a repaired reject the record that it was to be, once', async () => {
    const [admission = new Uint8Array()] = await messagesAbout(somebody('PT'));
    const good = Buffer.from(admission).toString('latin1');
    const bad = good.replace(/\|19\d{6}\|F/, '|19991399|F');
    await sendMllp(world.at('PT').config.mllp, Buffer.from(bad, 'latin1'));
    const candidates = await Promise.all((await rejects()).map(async (one) => [one, await original(one)] as const));
    const reject = candidates.find(([, text]) => text.includes(/P-200001-(\w+)/.exec(good)?.[0] ?? '-'))?.[0];
    expect(reject).toBeDefined();
    const path = `/operator/rejects/${reject?.id ?? ''}/replay`;
    expect((await pt(path, Buffer.from(bad, 'latin1'))).status).toBeGreaterThanOrEqual(400);
    expect((await pt(path, Buffer.from(good, 'latin1'))).json()).toMatchObject({ state: 'stored' });
    expect((await pt(path, Buffer.from(good, 'latin1'))).text).toContain('operator.reject-closed');
    expect((await rejects()).map(({ id }) => id)).not.toContain(reject?.id);
  });

  it('carries what no map knows beside the record, and never drops it', async () => {
    const person = somebody('PT');
    const [admission = new Uint8Array()] = await messagesAbout(person);
    const odd = `${Buffer.from(admission).toString('latin1').trimEnd()}\rZXX|1|algo que ninguém conhece\r`;
    await filed(world.at('PT'), Buffer.from(odd, 'latin1'));
    const account = await rows(
      world,
      'PT',
      `SELECT 1 FROM edge.message_account a JOIN edge.message m ON m.id = a.message_id WHERE m.control_id LIKE $1 AND m.state = 'stored'`,
      [`%${person.mark}`],
    );
    expect(account).toHaveLength(1);
  });

  it('keeps a test message apart, and out of every record', async () => {
    const person = somebody('PT');
    const [admission = new Uint8Array()] = await messagesAbout(person);
    await filed(world.at('PT'), Buffer.from(Buffer.from(admission).toString('latin1').replace('|P|2.5|', '|T|2.5|'), 'latin1'));
    expect(await rows(world, 'PT', 'SELECT state FROM edge.message WHERE control_id LIKE $1', [`%${person.mark}`])).toEqual([
      { state: 'not-production' },
    ]);
    expect(await rows(world, 'PT', 'SELECT 1 FROM edge.person_identifier WHERE value = $1', [person.identifier.value])).toEqual([]);
  });

  it('brings a transfer to its end though the line was down for a while', async () => {
    const person = await newcomer(world, 'EE');
    await new Herself(world, person).permits(['PT'], ['laboratory']);
    const asker = new Asker(world, 'PT', 'EE');
    const handle = (await asker.find(person)) ?? '';
    const line = await holdBack(world, 'EE');
    const begun = await asker.begin(handle, ['laboratory']).finally(() => new Promise((resolve) => setTimeout(resolve, 3_000)));
    await line.release();
    expect((await begun.look()).status).toBe(200);
    const states = () =>
      Promise.all(
        ['EE', 'PT'].map((country) =>
          rows<{ state: string }>(world, country, 'SELECT state FROM exchange.transfer WHERE transfer_id = $1', [begun.transfer]),
        ),
      );
    await eventually(
      'both have come to rest',
      async () =>
        (await states())
          .flat()
          .map(({ state }) => state)
          .join() === 'closed,done',
    );
  });

  it('files every format that its fixtures bring, and carries the rest of each', async () => {
    const be = world.at('BE');
    const token = await be.systemToken();
    const body = new Uint8Array(await readFile(join(fixtures, 'kmehr/be-jan-voorbeeld-sumehr.xml')));
    const answer = await be.call('/ingest', { token, body, type: 'application/xml' });
    expect(answer.status, answer.text).toBe(200);
    const { messageId } = answer.json<{ messageId: string }>();
    const made = await rows(world, 'BE', 'SELECT 1 FROM edge.resource_version WHERE message_id = $1', [messageId]);
    expect(made.length).toBeGreaterThan(2);
  });
});

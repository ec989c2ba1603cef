import { randomUUID } from 'node:crypto';
import { instant, type PersonId } from '@portolan/domain';
import { sha256 } from '@portolan/keys';
import { adminQuery, testCluster, type DatabaseAddress } from '@portolan/postgres';
import { inclusionPath, merkleRoot, verifyInclusion } from '@portolan/verify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordLocalAct } from '../local-acts.js';
import { current, fileRecord, recordOf } from './test-support/record.fixture.js';
import { Ground, peeter, people, PersonNode } from './test-support/person-node.js';
import { SseClient } from './test-support/sse-client.js';

let ground: Ground;
let node: PersonNode;
let mari: PersonId;
let juku: PersonId;
let messageId: string;
const ids = { patient: randomUUID(), observation: randomUUID(), condition: randomUUID() };

beforeAll(async () => {
  ground = await Ground.make();
  node = await PersonNode.start(ground);
  [mari, juku] = [await node.person([people.mari]), await node.person([people.juku], 'Juku')];
  messageId = await fileRecord(node, mari, recordOf(ids));
});
afterAll(async () => {
  await node.close();
  await ground.close();
});

const erase = async (body: unknown, account = 'operator'): ReturnType<PersonNode['post']> =>
  node.post('/operator/persons/erase', await ground.provider.login(account), body);
const order = { identifier: people.mari, reason: 'Asked for by the person' };

/** What stands of her keys in a schema. */
async function keysOf(address: DatabaseAddress, schema: string): Promise<{ live: number; destroyed: boolean }> {
  const rows = await adminQuery<{ wrapped: Uint8Array | null }>(address, `SELECT wrapped FROM ${schema}.data_key WHERE person = $1`, [
    mari,
  ]);
  return { live: rows.filter(({ wrapped }) => wrapped !== null).length, destroyed: rows.length > 0 };
}

/** So many uses of her record at once. */
async function readOften(times: number): Promise<void> {
  const { random, clock } = node.parts;
  await node.run(async (tx) => {
    const about = { person: mari, keyId: await tx.keys.forPerson(mari) };
    const act = { act: 'record-read', recorded: instant(clock.now()), outcome: 'success', actor: peeter, country: 'EE' } as const;
    for (let i = 0; i < times; i += 1) await recordLocalAct(tx, random, act, about);
  });
}

describe('an erasure', () => {
  it.each<[string, unknown, string, number, string]>([
    ['a person', order, 'mari', 403, 'access.not-allowed'],
    ['a regulator', order, 'regulator', 403, 'access.not-allowed'],
    ['an operator without a reason', { identifier: people.mari }, 'operator', 422, 'person.body-invalid'],
    ['an operator, of nobody', { ...order, identifier: people.nobody }, 'operator', 404, 'person.no-record'],
  ])('is refused to %s', async (_, body, account, status, code) => {
    const answer = await erase(body, account);
    expect({ status: answer.status, code: answer.json<{ code: string }>().code }).toEqual({ status, code });
    expect(await current(node, 'Observation', ids.observation)).toBeDefined();
  });

  it('leaves rows that nobody can read, and a log that verifies', async () => {
    const token = await ground.provider.login('mari');
    await node.post('/person/disputes', token, { resource: `Observation/${ids.observation}`, text: 'Not mine.' });
    const body = { recipients: ['PT'], purposes: ['TREAT'], categories: ['summary'], until: new Date(Date.now() + 1e9).toISOString() };
    await node.post('/person/consents', token, body);
    const stream = await SseClient.open(`${node.url}/person/events`, token);
    await stream.until(() => stream.heard.length >= 2);
    const operator = await ground.provider.login('operator');
    // At once: the leaves of what happened just now have hardly left for the log yet.
    node.notary.delayMs = 300;
    await readOften(20);
    expect((await node.post('/operator/persons/erase', operator, order)).json()).toEqual({ erased: true });
    node.notary.delayMs = 0;

    expect((await node.call('/person/me', { token })).status).toBe(404);
    const left = await node.run(async (tx) => ({
      byIdentifier: await tx.persons.byIdentifier(people.mari),
      observation: await tx.resources.get('Observation', ids.observation),
      history: await tx.resources.history('Observation', ids.observation, 10),
      all: await tx.resources.ofPerson(mari, 'all', 10),
      message: await tx.messages.get(messageId),
      account: await tx.messages.account(messageId),
      feed: (await tx.feed.after(mari, '0', 100)).map((one) => one.body),
      audit: await tx.audit.list({ person: mari }, 500),
    }));
    expect(left).toMatchObject({ byIdentifier: [], observation: undefined, history: [], all: [], message: undefined, account: undefined });
    expect(left.feed.every((one) => one === undefined) && left.feed.length >= 2).toBe(true);
    const [last, ...earlier] = left.audit;
    expect(last).toMatchObject({ type: 'person-erased', outcome: 'success' });
    expect(JSON.parse(last!.body!)).toMatchObject({ outcomeDesc: 'Asked for by the person', agent: [{ name: 'Haldur Näidis' }, {}, {}] });
    expect(earlier.map(({ body: one }) => one)).toEqual(earlier.map(() => undefined));

    const events = await node.run((tx) => tx.audit.list({}, 500));
    await expect
      .poll(() => events.every(({ id }) => node.notary.leaves.some(({ eventId }) => eventId === id)), { timeout: 5_000 })
      .toBe(true);
    const hashes = node.notary.leaves.map(({ leafHash }) => leafHash);
    const root = merkleRoot(hashes, sha256);
    for (const { id, leafHash } of events) {
      const index = node.notary.leaves.findIndex(({ eventId }) => eventId === id);
      const claim = { leafHash, index, size: hashes.length, path: inclusionPath(index, hashes, sha256), root };
      expect(verifyInclusion(claim, sha256)).toBe(true);
    }
    await node
      .post('/operator/persons/erase', await ground.provider.login('operator'), order)
      .then(({ status }) => expect(status).toBe(404));
  });

  it('leaves ciphertext whose keys are gone, in both schemas, and nothing in clear', async () => {
    const { edge, exchange } = await (await testCluster()).country('EE');
    expect(await keysOf(edge, 'edge')).toEqual({ live: 0, destroyed: true });
    // The ciphertext is still there: a restored backup of these rows says nothing without the key.
    const kept = await adminQuery<{ body: Uint8Array }>(edge, 'SELECT body FROM edge.resource_version WHERE person = $1', [mari]);
    expect(kept.length).toBeGreaterThan(4);
    for (const { body } of kept) expect(Buffer.from(body).toString('latin1')).not.toMatch(/Observation|Hemoglobiin|131/);
    expect(await adminQuery(edge, 'SELECT 1 FROM edge.person WHERE id = $1', [mari])).toEqual([]);
    const values = 'SELECT 1 FROM edge.search_value WHERE resource_id = ANY($1)';
    expect(await adminQuery(edge, values, [Object.values(ids)])).toEqual([]);
    await expect.poll(() => keysOf(exchange, 'exchange'), { timeout: 5_000 }).toEqual({ live: 0, destroyed: true });
    expect(await node.run((tx) => tx.resources.ofPerson(juku, 'all', 10))).toEqual([]);
    expect((await node.call('/person/me', { token: await ground.provider.login('juku') })).status).toBe(200);
  });

  it('lets nothing be written about her again', async () => {
    await expect(node.run((tx) => tx.keys.forPerson(mari))).rejects.toMatchObject({ code: 'store.person-erased' });
  });
});

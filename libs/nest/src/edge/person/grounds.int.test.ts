import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StandingGrounds } from './person-grounds.js';
import { Ground, people, PersonNode, type Answer } from './test-support/person-node.js';
import { SseClient } from './test-support/sse-client.js';

let ground: Ground;
let node: PersonNode;
let mari: string;
let juku: string;

beforeAll(async () => {
  ground = await Ground.make();
  node = await PersonNode.start(ground);
  await node.person([people.mari]);
  await node.person([people.juku], 'Juku');
  await node.person([people.double, { system: 'urn:one', value: '1' }]);
  await node.person([people.double, { system: 'urn:two', value: '2' }]);
  [mari, juku] = [await ground.provider.login('mari'), await ground.provider.login('juku')];
});
afterAll(async () => {
  await node.close();
  await ground.close();
});

const until = (days = 14): string => new Date(Date.now() + days * 86_400_000).toISOString();
const permission = (over: object = {}): object => ({
  recipients: ['PT'],
  purposes: ['TREAT'],
  categories: ['laboratory', 'summary'],
  until: until(),
  ...over,
});
const grounds = async (token: string): Promise<StandingGrounds> => (await node.call('/person/grounds', { token })).json<StandingGrounds>();
const stands = async (token: string, id: string): Promise<string | undefined> => {
  const { consents, restrictions } = await grounds(token);
  return [...consents, ...restrictions].find((one) => one.id === id)?.state;
};
const given = async (token: string, over: object = {}): Promise<string> => {
  const { consentId } = (await node.post('/person/consents', token, permission(over))).json<{ consentId: string }>();
  await expect.poll(() => stands(token, consentId), { timeout: 5_000 }).toBe('live');
  return consentId;
};

describe('a person', () => {
  it('finds her own record by her login', async () => {
    const answer = await node.call('/person/me', { token: mari });
    expect(answer.status).toBe(200);
    expect(answer.json()).toMatchObject({ name: 'mari Näidis', country: 'EE', identifiers: [people.mari], family: 'Näidis' });
  });

  it('permits, and sees within a second that she did', async () => {
    const stream = await SseClient.open(`${node.url}/person/events`, mari);
    const answer = await node.post('/person/consents', mari, permission({ since: '2025-01-01' }));
    const taken = Date.now();
    expect(answer.status).toBe(202);
    const { consentId } = answer.json<{ consentId: string }>();
    await stream.until(() => stream.heard.some(({ data }) => data['act'] === 'consent-given'), 2_000);
    expect(Date.now() - taken).toBeLessThan(2_000);
    expect(stream.heard.at(-1)?.data).toMatchObject({
      who: { name: 'mari Näidis', role: 'person' },
      categories: ['laboratory', 'summary'],
    });
    stream.close();
    const consent = (await grounds(mari)).consents.find(({ id }) => id === consentId);
    expect(consent).toMatchObject({
      state: 'live',
      version: 1,
      custodian: 'EE',
      recipients: ['PT'],
      since: '2025-01-01',
      givenBy: { id: people.mari },
    });
    expect(consent).not.toHaveProperty('salt');
  });

  it('replaces a permission by its next version', async () => {
    const first = await given(mari);
    const second = await given(mari, { replaces: first, recipients: ['BE', 'PT'] });
    expect(await stands(mari, first)).toBe('replaced');
    expect((await grounds(mari)).consents.find(({ id }) => id === second)).toMatchObject({ version: 2, recipients: ['BE', 'PT'] });
  });

  it('withdraws at once what she has just permitted, and once is enough', async () => {
    const { consentId } = (await node.post('/person/consents', mari, permission())).json<{ consentId: string }>();
    expect((await node.post(`/person/consents/${consentId}/withdraw`, mari)).status).toBe(202);
    await expect.poll(() => stands(mari, consentId), { timeout: 5_000 }).toBe('withdrawn');
    expect((await node.post(`/person/consents/${consentId}/withdraw`, mari, {})).status).toBe(202);
  });

  it('opts out, restricts, and lifts it again', async () => {
    for (const body of [
      { kind: 'opt-out' },
      { kind: 'restriction', recipients: ['PT'], purposes: ['HRESCH'], categories: ['medication'] },
    ]) {
      const answer = await node.post('/person/restrictions', mari, body);
      expect(answer.status).toBe(202);
      const { restrictionId } = answer.json<{ restrictionId: string }>();
      await expect.poll(() => stands(mari, restrictionId), { timeout: 5_000 }).toBe('live');
      expect((await grounds(mari)).restrictions.find(({ id }) => id === restrictionId)).toMatchObject(body);
      expect((await node.post(`/person/restrictions/${restrictionId}/lift`, mari)).status).toBe(202);
      await expect.poll(() => stands(mari, restrictionId), { timeout: 5_000 }).toBe('lifted');
    }
  });
});

describe('is refused', () => {
  const refused = (answer: Answer, status: number, code: string): void => {
    expect({ status: answer.status, code: answer.json<{ code: string }>().code }).toEqual({ status, code });
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
  };

  it.each<[string, () => Promise<string | undefined>, number, string]>([
    ['no token', async () => undefined, 401, 'access.token-missing'],
    ['no token of ours', async () => 'abc.def.ghi', 401, 'access.token-invalid'],
    ["a clinician's token", () => ground.provider.login('peeter'), 403, 'access.not-allowed'],
    ["a hospital's token", () => ground.provider.systemToken(), 403, 'access.not-allowed'],
    ["a regulator's token", () => ground.provider.login('regulator'), 403, 'access.not-allowed'],
    ['a person without a record', () => ground.provider.login('nobody'), 404, 'person.no-record'],
    ['a person of whom there are two records', () => ground.provider.login('double'), 409, 'person.several-records'],
  ])('%s, at every address', async (_, tokenOf, status, code) => {
    const token = await tokenOf();
    const paths = ['/person/me', '/person/feed', '/person/events', '/person/grounds', '/person/proposals', '/person/record/export'];
    for (const path of paths) refused(await node.call(path, token === undefined ? {} : { token }), status, code);
    for (const path of ['/person/consents', '/person/restrictions', '/person/disputes'])
      refused(await node.call(path, { body: {}, ...(token === undefined ? {} : { token }) }), status, code);
  });

  it('an expired token', async () => {
    ground.clock.shiftMs = 400_000;
    refused(await node.call('/person/me', { token: mari }), 401, 'access.token-expired');
    ground.clock.shiftMs = 0;
  });

  it.each<[string, unknown, number, string]>([
    ['nothing', {}, 422, 'person.body-invalid'],
    ['a list', [permission()], 422, 'person.body-invalid'],
    ['no recipient', permission({ recipients: [] }), 422, 'person.body-invalid'],
    ['everything', permission({ categories: ['everything'] }), 422, 'person.body-invalid'],
    ['a purpose twice', permission({ purposes: ['TREAT', 'TREAT'] }), 422, 'person.body-invalid'],
    ['an end without a zone', permission({ until: '2027-01-01T00:00:00' }), 422, 'person.body-invalid'],
    ['an end that is no day', permission({ until: '2027-02-30T00:00:00.000Z' }), 422, 'person.body-invalid'],
    ['a beginning behind the end', permission({ since: '2099-01-01' }), 422, 'person.body-invalid'],
    ['an end in the past', permission({ until: until(-1) }), 422, 'person.until-past'],
    ['a country that nobody reaches', permission({ recipients: ['PT', 'ZZ'] }), 422, 'person.country-unknown'],
    ['her own country', permission({ recipients: ['EE'] }), 422, 'person.country-unknown'],
    ['another giver', permission({ givenBy: { name: 'Juku' } }), 422, 'person.body-invalid'],
    ['another custodian', permission({ custodian: 'PT' }), 422, 'person.body-invalid'],
    ['what is not there to be replaced', permission({ replaces: '00000000-0000-4000-8000-000000000000' }), 404, 'person.consent-unknown'],
  ])('a permission with %s', async (_, body, status, code) => {
    refused(await node.post('/person/consents', mari, body), status, code);
  });

  it.each<[string, unknown, string]>([
    ['no kind', {}, 'person.body-invalid'],
    ['an opt-out of some categories', { kind: 'opt-out', categories: ['summary'] }, 'person.body-invalid'],
    ['a country that nobody reaches', { kind: 'restriction', recipients: ['ZZ'] }, 'person.country-unknown'],
  ])('a restriction with %s', async (_, body, code) => {
    refused(await node.post('/person/restrictions', mari, body), 422, code);
  });

  it.each(['{', '{"recipients":', 'null', '"text"', '[[[[', '{"__proto__":{}}'])('a body of %s', async (raw) => {
    const answer = await node.call('/person/consents', { token: mari, raw });
    expect([400, 422]).toContain(answer.status);
    expect(['http.request-malformed', 'person.body-invalid']).toContain(answer.json<{ code: string }>().code);
  });

  it('a body that is too large, or of another type', async () => {
    expect((await node.call('/person/consents', { token: mari, raw: `{"recipients":["${'A'.repeat(2_000_000)}"]}` })).status).toBe(413);
    const typed = await node.call('/person/consents', { token: mari, raw: '<a/>', headers: { 'content-type': 'application/x-thing' } });
    refused(typed, 415, 'http.media-type-unsupported');
  });

  it("another person's permission or restriction, which is as unknown as one that nobody has", async () => {
    const hers = await given(mari);
    const { restrictionId } = (await node.post('/person/restrictions', mari, { kind: 'opt-out' })).json<{ restrictionId: string }>();
    await expect.poll(() => stands(mari, restrictionId), { timeout: 5_000 }).toBe('live');
    const another = await node.post(`/person/consents/${hers}/withdraw`, juku);
    refused(another, 404, 'person.consent-unknown');
    expect((await node.post('/person/consents/00000000-0000-4000-8000-000000000000/withdraw', juku)).text).toBe(another.text);
    refused(await node.post('/person/consents/mine/withdraw', juku), 404, 'person.consent-unknown');
    refused(await node.post(`/person/restrictions/${restrictionId}/lift`, juku), 404, 'person.restriction-unknown');
    expect([await stands(mari, hers), await stands(mari, restrictionId)]).toEqual(['live', 'live']);
  });

  it('without a word about her in the log', () => {
    const log = node.lines.join('\n');
    for (const canary of ['47101010033', '37102020044', 'Näidis', 'laboratory']) expect(log).not.toContain(canary);
  });
});

it('tells no exchange a word that the edge puts into her mouth', async () => {
  const [victim] = await node.run((tx) => tx.persons.byIdentifier(people.juku));
  const content = { v: 1, id: '11111111-1111-4111-8111-111111111111', version: 1, custodian: 'EE', ...permission() } as never;
  await node.run(async (tx) => {
    const body = { person: victim!.id, content, evidence: { accessToken: mari } };
    await tx.outbox.add({
      id: '22222222-2222-4222-8222-222222222222',
      to: 'exchange',
      type: 'consent.give',
      key: 'forged',
      keyId: await tx.keys.create(),
      body,
    });
  });
  await expect.poll(() => node.lines.some((line) => line.includes('ground.not-hers')), { timeout: 5_000 }).toBe(true);
  expect((await grounds(juku)).consents).toEqual([]);
});

it('has the exchange decide itself whose word counts, whatever the edge let pass', async () => {
  const [child] = await node.run((tx) => tx.persons.byIdentifier(people.juku));
  await node.run((tx) => tx.persons.save({ ...child!, birthDate: '2015-05-05' }));
  const content = { v: 1, id: '33333333-3333-4333-8333-333333333333', version: 1, custodian: 'EE', ...permission() } as never;
  await node.run(async (tx) => {
    const keyId = await tx.keys.create();
    const body = { person: child!.id, content, evidence: { accessToken: juku } };
    await tx.outbox.add({
      id: '44444444-4444-4444-8444-444444444444',
      to: 'exchange',
      type: 'consent.give',
      key: 'too-young',
      keyId,
      body,
    });
  });
  await expect.poll(() => node.lines.some((line) => line.includes('ground.not-of-age')), { timeout: 5_000 }).toBe(true);
  expect((await grounds(juku)).consents).toEqual([]);
});

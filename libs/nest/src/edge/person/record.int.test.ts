import { randomUUID } from 'node:crypto';
import { treeOf, type FhirObject, type PersonId } from '@portolan/domain';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fileEntry, type IdentifiedResource } from '../fhir/entries.js';
import type { ShownProposal } from './proposals.js';
import { seenAbroad } from './test-support/abroad.js';
import { Ground, peeter, people, PersonNode, type Answer } from './test-support/person-node.js';
import { current, fileRecord, recordOf } from './test-support/record.fixture.js';

let ground: Ground;
let node: PersonNode;
let mari: PersonId;
const ids = { patient: randomUUID(), observation: randomUUID(), condition: randomUUID() };
const entry = `Observation/${ids.observation}`;

beforeAll(async () => {
  ground = await Ground.make();
  node = await PersonNode.start(ground);
  mari = await node.person([people.mari]);
  await node.person([people.juku], 'Juku');
  await fileRecord(node, mari, recordOf(ids));
});
afterAll(async () => {
  await node.close();
  await ground.close();
});

const problem = (answer: Answer): { status: number; code: string } => ({
  status: answer.status,
  code: answer.json<{ code: string }>().code,
});
const acts = async (): Promise<string[]> => (await node.run((tx) => tx.audit.list({ person: mari }, 500))).map(({ type }) => type);
const observation = async (): Promise<FhirObject> => treeOf((await current(node, 'Observation', ids.observation))!.text);

describe('the record, to take along', () => {
  it('is whole, and taking it is an event that she sees', async () => {
    const token = await ground.provider.login('mari');
    const answer = await node.call('/person/record/export', { token });
    expect(answer.headers.get('content-type')).toContain('application/fhir+json');
    const bundle = treeOf(answer.text);
    expect(node.parts.fhirValidator.validate(bundle).filter(({ severity }) => severity === 'error' || severity === 'fatal')).toEqual([]);
    const entries = bundle['entry'] as unknown as { fullUrl: string; resource: FhirObject }[];
    expect(entries.map(({ resource }) => resource['resourceType']).sort()).toEqual(['Condition', 'Observation', 'Patient', 'Practitioner']);
    expect(entries.map(({ fullUrl }) => fullUrl)).toContain(`http://ee.test/fhir/${entry}`);
    expect(answer.text).toContain('"value":131');
    const { entries: feed } = (await node.call('/person/feed?limit=500', { token })).json<{
      entries: { act: string; purpose?: string }[];
    }>();
    expect(feed.at(-1)).toMatchObject({ act: 'record-read', purpose: 'PATRQT', who: { role: 'person' } });
  });

  it('is empty for whom nothing was filed', async () => {
    const answer = await node.call('/person/record/export', { token: await ground.provider.login('juku') });
    expect(answer.json()).toMatchObject({ resourceType: 'Bundle', type: 'collection' });
    expect(answer.json()).not.toHaveProperty('entry');
  });
});

describe('a dispute', () => {
  it('travels with the entry, and her words stay', async () => {
    const token = await ground.provider.login('mari');
    const before = (await current(node, 'Observation', ids.observation))!;
    const answer = await node.post('/person/disputes', token, { resource: entry, text: 'This was not my sample.' });
    expect(answer.status).toBe(201);
    const { disputeId, version } = answer.json<{ disputeId: string; version: number }>();
    expect(version).toBe(before.versionId + 1);
    const marked = { url: 'urn:portolan:dispute', valueDate: new Date().toISOString().slice(0, 10) };
    expect((await observation())['extension']).toEqual([marked]);
    const words = treeOf((await current(node, 'Communication', disputeId))!.text);
    expect(words).toMatchObject({
      about: [{ reference: `${entry}/_history/${version}` }],
      payload: [{ contentString: 'This was not my sample.' }],
    });
    expect(node.parts.fhirValidator.validate(words).filter(({ severity }) => severity === 'error')).toEqual([]);
    const abroad = await seenAbroad(node, mari);
    expect(treeOf(abroad.find(({ type }) => type === 'Observation')!.text)['extension']).toEqual([marked]);
    expect(abroad.map(({ text }) => text).join()).not.toContain('my sample');
    await expect.poll(() => node.changed.length, { timeout: 5_000 }).toBe(1);
    expect(node.changed).toEqual([
      { person: mari, type: 'Observation', id: ids.observation, change: 'superseded', reason: 'disputed by the person' },
    ]);
    expect(await acts()).toContain('entry-disputed');
  });

  it('of the same day is one mark', async () => {
    const { versionId } = (await current(node, 'Observation', ids.observation))!;
    await node.post('/person/disputes', await ground.provider.login('mari'), { resource: entry, text: 'Again.' });
    expect((await current(node, 'Observation', ids.observation))!.versionId).toBe(versionId);
  });

  it('never overwrites what is filed at the same time', async () => {
    const token = await ground.provider.login('mari');
    const { versionId } = (await current(node, 'Condition', ids.condition))!;
    const tree = treeOf((await current(node, 'Condition', ids.condition))!.text) as IdentifiedResource;
    const notes = Array.from({ length: 5 }, (_, i) => ({ ...tree, note: [{ text: `note ${i}` }] }));
    const [answer] = await Promise.all([
      node.post('/person/disputes', token, { resource: `Condition/${ids.condition}`, text: 'No.' }),
      ...notes.map((note) => node.run((tx) => fileEntry(tx, note, { person: mari }, node.parts))),
    ]);
    const disputes = (await node.run((tx) => tx.resources.history('Condition', ids.condition, 20))).filter(({ text }) =>
      text.includes('urn:portolan:dispute'),
    );
    if (answer.status === 201) expect(disputes.at(-1)!.versionId).toBe(answer.json<{ version: number }>().version);
    else expect([problem(answer), disputes]).toEqual([{ status: 409, code: 'store.conflict' }, []]);
    const versions = await node.run((tx) => tx.resources.history('Condition', ids.condition, 20));
    expect(versions).toHaveLength(versionId + 5 + (answer.status === 201 ? 1 : 0));
  });

  it.each<[string, string, unknown, number, string]>([
    ['of what is not there', 'mari', { resource: 'Observation/none', text: 'x' }, 404, 'person.entry-unknown'],
    ['of another person’s entry', 'juku', { resource: entry, text: 'x' }, 404, 'person.entry-unknown'],
    ['without a word', 'mari', { resource: entry, text: ' ' }, 422, 'person.body-invalid'],
    ['of no reference', 'mari', { resource: 'Observation', text: 'x' }, 422, 'person.body-invalid'],
  ])('%s is refused', async (_, account, body, status, code) => {
    expect(problem(await node.post('/person/disputes', await ground.provider.login(account), body))).toEqual({ status, code });
  });
});

describe('a change that a clinician abroad proposes', () => {
  const proposals = async (token: string): Promise<readonly ShownProposal[]> =>
    (await node.call('/person/proposals', { token })).json<{ proposals: readonly ShownProposal[] }>().proposals;

  /** As it arrives: the entry as the clinician's view shows it, changed. */
  async function arrives(change: (seen: FhirObject) => FhirObject): Promise<string> {
    const seen = (await seenAbroad(node, mari)).find(({ type }) => type === 'Observation')!;
    const id = randomUUID();
    const body = {
      transferId: randomUUID(),
      person: mari,
      actor: { ...peeter, name: 'Dra. Rita Ensaio' },
      reason: 'Unit mistaken',
      items: [{ type: seen.type, id: seen.id, change: 'proposed' as const }],
      proposal: JSON.stringify(change(JSON.parse(seen.text) as FhirObject)),
    };
    await node.run(async (tx) => {
      const keyId = await tx.keys.forPerson(mari);
      await tx.proposals.put({ id, person: mari, state: 'open', keyId, body, at: new Date().toISOString() });
    });
    return id;
  }
  const measured =
    (value: number) =>
    (seen: FhirObject): FhirObject => ({ ...seen, valueQuantity: { ...(seen['valueQuantity'] as FhirObject), value } });
  const custodian = async (id: string, act: string, reason?: string, actor = peeter): Promise<Answer> =>
    node.post(`/custodian/proposals/${id}/${act}`, await ground.provider.systemToken(), reason === undefined ? {} : { reason }, actor);

  it('becomes a version of its own after she permits and the custodian accepts', async () => {
    const token = await ground.provider.login('mari');
    const id = await arrives(measured(113));
    expect((await proposals(token)).find((one) => one.id === id)).toMatchObject({
      state: 'open',
      actor: { name: 'Dra. Rita Ensaio' },
      reason: 'Unit mistaken',
    });
    expect(problem(await custodian(id, 'accept', 'Checked'))).toEqual({ status: 409, code: 'person.proposal-not-permitted' });
    expect((await node.post(`/person/proposals/${id}/permit`, token)).json()).toEqual({ state: 'permitted' });
    expect(problem(await node.post(`/person/proposals/${id}/decline`, token))).toEqual({ status: 409, code: 'person.proposal-answered' });
    const before = await observation();
    const { versionId } = (await current(node, 'Observation', ids.observation))!;
    const shown = await node.call(`/custodian/proposals/${id}`, { token: await ground.provider.systemToken(), acting: peeter });
    expect(shown.json()).toMatchObject({ entry: `${entry}/_history/${versionId}`, changed: ['valueQuantity'], reason: 'Unit mistaken' });
    node.changed.length = 0;
    expect((await custodian(id, 'accept', 'The sample was measured again')).json()).toEqual({ state: 'accepted', version: versionId + 1 });
    const { text: _narrative, ...kept } = before;
    expect(await observation()).toEqual({ ...kept, valueQuantity: { ...(before['valueQuantity'] as FhirObject), value: 113 } });
    await expect.poll(() => node.changed.length, { timeout: 5_000 }).toBe(1);
    expect(node.changed[0]).toMatchObject({ id: ids.observation, reason: 'The sample was measured again' });
    const provenance = await node.run(async (tx) =>
      (await tx.resources.ofPerson(mari, 'all', 100)).filter(({ type }) => type === 'Provenance'),
    );
    expect(treeOf(provenance[0]!.text)).toMatchObject({
      target: [{ reference: `${entry}/_history/${versionId + 1}` }],
      reason: [{ text: 'The sample was measured again' }],
      extension: [{ url: 'urn:portolan:changed-element', valueString: 'valueQuantity' }],
      agent: [{ who: { display: 'Dr Peeter Proov' } }],
    });
    expect((await acts()).slice(0, 2)).toEqual(['entry-corrected', 'change-answered']);
    expect(problem(await custodian(id, 'accept', 'Again'))).toEqual({ status: 409, code: 'person.proposal-answered' });
  });

  it('is listed for the custodian alone, from her permission to the answer, and she sees that it was looked at', async () => {
    const token = await ground.provider.login('mari');
    interface Page {
      readonly proposals: readonly { id: string; reason?: string; types: string[]; actor?: { name: string } }[];
      readonly next?: string;
    }
    const look = async (call: { token: string; acting?: typeof peeter }, place = ''): Promise<Answer> =>
      node.call(`/custodian/proposals${place}`, call);
    const listed = async (call: { token: string; acting?: typeof peeter }): Promise<readonly string[]> =>
      (await look(call)).json<Page>().proposals.map(({ id }) => id);
    const ours = { token: await ground.provider.systemToken(), acting: peeter };
    const [id, later] = [await arrives(measured(101)), await arrives(measured(102))];
    expect(await listed(ours)).not.toContain(id);
    for (const one of [id, later]) await node.post(`/person/proposals/${one}/permit`, token);
    const page = (await look(ours)).json<Page>();
    const found = page.proposals.filter((one) => [id, later].includes(one.id));
    expect(found.map((one) => one.id)).toEqual([id, later]);
    expect(found[0]).toEqual({
      id,
      at: expect.any(String) as string,
      types: ['Observation'],
      reason: 'Unit mistaken',
      actor: expect.objectContaining({ name: 'Dra. Rita Ensaio' }) as object,
    });
    expect((await look(ours, `?after=${id}`)).json<Page>().proposals.map((one) => one.id)).toEqual([later]);
    const feed = (await node.call('/person/feed?limit=500', { token })).json<{ entries: { act: string; who: { name: string } }[] }>();
    expect(feed.entries.at(-1)).toMatchObject({ act: 'record-searched', who: { name: 'Dr Peeter Proov' } });
    // The application of another organisation's professional is shown nothing, and so is whoever may not read such entries.
    expect(await listed({ token: await ground.provider.login('stranger') })).toEqual([]);
    expect(await listed({ token: await ground.provider.systemToken('system/*.write'), acting: peeter })).toEqual([]);
    expect(problem(await look({ token: ours.token }))).toEqual({ status: 403, code: 'access.professional-missing' });
    expect(problem(await look({ token }))).toEqual({ status: 403, code: 'access.not-allowed' });
    expect(problem(await look(ours, '?after=none'))).toEqual({ status: 400, code: 'person.place-invalid' });
    await custodian(id, 'decline', 'The value stands');
    await custodian(later, 'accept', 'Measured again');
    expect(await listed(ours)).toEqual([]);
  });

  it('goes no further where she declines, or the custodian does', async () => {
    const token = await ground.provider.login('mari');
    const [hers, theirs] = [await arrives(measured(99)), await arrives(measured(98))];
    expect((await node.post(`/person/proposals/${hers}/decline`, token)).json()).toEqual({ state: 'declined' });
    expect(problem(await custodian(hers, 'accept', 'Yes'))).toEqual({ status: 409, code: 'person.proposal-answered' });
    await node.post(`/person/proposals/${theirs}/permit`, token);
    const { versionId } = (await current(node, 'Observation', ids.observation))!;
    expect((await custodian(theirs, 'decline', 'The value stands')).json()).toEqual({ state: 'declined' });
    expect((await current(node, 'Observation', ids.observation))!.versionId).toBe(versionId);
    expect((await proposals(token)).filter(({ id }) => [hers, theirs].includes(id)).map(({ state }) => state)).toEqual([
      'declined',
      'declined',
    ]);
  });

  it('is made once, whoever asks at the same time', async () => {
    const id = await arrives(measured(97));
    await node.post(`/person/proposals/${id}/permit`, await ground.provider.login('mari'));
    const { versionId } = (await current(node, 'Observation', ids.observation))!;
    const answers = await Promise.all([1, 2, 3].map(() => custodian(id, 'accept', 'Once')));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
    expect((await current(node, 'Observation', ids.observation))!.versionId).toBe(versionId + 1);
  });

  it.each<[string, (seen: FhirObject) => FhirObject]>([
    ['nothing', (seen) => seen],
    ['another entry', (seen) => ({ ...seen, id: randomUUID() })],
    ['another type', (seen) => ({ ...seen, resourceType: 'Condition' })],
    ['what breaks a rule of FHIR', (seen) => ({ ...seen, status: 'whatever' })],
    ['a reference that leads nowhere', (seen) => ({ ...seen, hasMember: [{ reference: `Observation/${randomUUID()}` }] })],
  ])('that changes %s cannot be accepted', async (_, change) => {
    const id = await arrives(change);
    await node.post(`/person/proposals/${id}/permit`, await ground.provider.login('mari'));
    expect(problem(await custodian(id, 'accept', 'Yes'))).toEqual({ status: 422, code: 'person.proposal-unusable' });
    expect((await custodian(id, 'decline', 'It cannot be made')).status).toBe(200);
  });

  it('is answered by nobody else', async () => {
    const id = await arrives(measured(90));
    const token = await ground.provider.login('mari');
    expect(problem(await node.post(`/person/proposals/${id}/permit`, await ground.provider.login('juku')))).toEqual({
      status: 404,
      code: 'person.proposal-unknown',
    });
    expect(problem(await node.post('/person/proposals/none/permit', token))).toEqual({ status: 404, code: 'person.proposal-unknown' });
    await node.post(`/person/proposals/${id}/permit`, token);
    const accept = `/custodian/proposals/${id}/accept`;
    const body = { reason: 'Yes' };
    expect(problem(await node.post(accept, token, body))).toEqual({ status: 403, code: 'access.not-allowed' });
    expect(problem(await node.post(accept, await ground.provider.systemToken(), body))).toEqual({
      status: 403,
      code: 'access.professional-missing',
    });
    expect(problem(await node.post(accept, await ground.provider.login('stranger'), body))).toEqual({
      status: 403,
      code: 'fhir.scope-missing',
    });
    const show = await node.call(`/custodian/proposals/${id}`, { token: await ground.provider.login('stranger') });
    expect(problem(show)).toEqual({ status: 403, code: 'person.not-custodian' });
    expect((await node.call(`/custodian/proposals/${id}`, { token: await ground.provider.login('peeter') })).status).toBe(200);
    expect(problem(await node.post(accept, await ground.provider.systemToken('system/*.read'), body, peeter))).toEqual({
      status: 403,
      code: 'fhir.scope-missing',
    });
    expect(problem(await custodian(id, 'accept'))).toEqual({ status: 422, code: 'person.body-invalid' });
    expect(problem(await custodian(randomUUID(), 'accept', 'Yes'))).toEqual({ status: 404, code: 'person.proposal-unknown' });
  });
});

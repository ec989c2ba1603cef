import { randomUUID } from 'node:crypto';
import { isRefused, treeOf, type FhirObject, type PersonId } from '@portolan/domain';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sha256Hex } from '@portolan/verify';
import { ACTING_HEADER } from '../access.js';
import { fileEntry, type IdentifiedResource } from '../fhir/entries.js';
import { indexOptions } from '../fhir/index-options.js';
import { OtherForms } from '../fhir/other-forms.js';
import { PatientSummary } from '../fhir/patient-summary.js';
import { AnsweredPack } from '../ingest/answered-pack.js';
import { IngestService } from '../ingest/ingest.service.js';
import { partPersons } from '../part-persons.js';
import { seenAbroad } from '../person/test-support/abroad.js';
import { CLIENT } from '../person/test-support/demo-provider.js';
import { Ground, peeter, people, PersonNode, type Answer } from '../person/test-support/person-node.js';
import { current, fileRecord, recordOf } from '../person/test-support/record.fixture.js';
import type { ListedPair, ListedPairs } from './reconciliations.js';

const SNOMED = 'http://snomed.info/sct';
const concept = (system: string, code: string): FhirObject => ({ coding: [{ system, code }] });
const penicillin = concept(SNOMED, '91936005');

let ground: Ground;
let node: PersonNode;
let ingest: IngestService;
let mari: PersonId;
const ids = { patient: randomUUID(), observation: randomUUID(), condition: randomUUID(), allergy: randomUUID() };
const known = { allergy: `AllergyIntolerance/${ids.allergy}`, observation: `Observation/${ids.observation}` };
const ownAllergy: IdentifiedResource = {
  resourceType: 'AllergyIntolerance',
  id: ids.allergy,
  code: penicillin,
  patient: { reference: `Patient/${ids.patient}` },
};

beforeAll(async () => {
  ground = await Ground.make();
  node = await PersonNode.start(ground);
  ingest = new IngestService(node.parts, new AnsweredPack(node.parts));
  mari = await node.person([people.mari]);
  await fileRecord(node, mari, [...recordOf(ids), ownAllergy]);
});
afterAll(async () => {
  await node.close();
  await ground.close();
});

/** A patient summary as she brought it from abroad; resources are known by the address that its source, `name`, gives them. */
function summary(name: string, identifier = people.mari, given = 'Mari'): string {
  const result = (id: string, value: number): IdentifiedResource => ({
    resourceType: 'Observation',
    id,
    status: 'final',
    category: [concept('http://terminology.hl7.org/CodeSystem/observation-category', 'laboratory')],
    code: concept('http://loinc.org', '718-7'),
    subject: { reference: 'Patient/p' },
    effectiveDateTime: '2026-03-01',
    valueQuantity: { value, unit: 'g/L', system: 'http://unitsofmeasure.org', code: 'g/L' },
  });
  const resources: readonly IdentifiedResource[] = [
    {
      resourceType: 'Composition',
      id: 'c',
      status: 'final',
      type: concept('http://loinc.org', '60591-5'),
      subject: { reference: 'Patient/p' },
      date: '2026-10-05T09:30:00+03:00',
      author: [{ display: 'A clinic abroad' }],
      title: 'Patient summary',
    },
    {
      resourceType: 'Patient',
      id: 'p',
      identifier: [{ ...identifier }],
      name: [{ family: 'Näidis', given: [given] }],
      birthDate: '1971-01-01',
    },
    {
      resourceType: 'AllergyIntolerance',
      id: 'a',
      clinicalStatus: concept('http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical', 'active'),
      code: penicillin,
      patient: { reference: 'Patient/p' },
      onsetDateTime: '2010',
    },
    result('same', 131),
    result('other', 118),
  ];
  return JSON.stringify({
    resourceType: 'Bundle',
    type: 'document',
    identifier: { system: 'urn:oid:2.999.7.1', value: `${name}-${randomUUID()}` },
    timestamp: '2026-10-05T09:30:00+03:00',
    entry: resources.map((one) => ({ fullUrl: `https://${name}.example/fhir/${one.resourceType}/${one.id}`, resource: one })),
  });
}

async function arrives(document: string): Promise<void> {
  const { answer } = await ingest.accept({ bytes: new TextEncoder().encode(document), via: 'http', source: CLIENT });
  expect(answer).toMatchObject({ state: 'stored' });
}

const ours = async (): Promise<{ token: string; acting: typeof peeter }> => ({
  token: await ground.provider.systemToken(),
  acting: peeter,
});
const look = async (query = ''): Promise<Answer> => node.call(`/custodian/reconciliations${query}`, await ours());
const listed = async (query = ''): Promise<readonly ListedPair[]> => (await look(query)).json<ListedPairs>().reconciliations;
const judge = async (id: string, to: string, reason = 'Read both'): Promise<Answer> =>
  node.post(`/custodian/reconciliations/${id}/${to}`, await ground.provider.systemToken(), { reason }, peeter);
const problem = (answer: Answer): { status: number; code: string } => ({
  status: answer.status,
  code: answer.json<{ code: string }>().code,
});
const feed = async (): Promise<readonly { act: string; reason?: string; items?: readonly string[] }[]> => {
  const token = await ground.provider.login('mari');
  return (await node.call('/person/feed?limit=500', { token })).json<{ entries: { act: string }[] }>().entries;
};

/** Her summary as a clinician of the house reads it: its entries of a type. */
async function inSummary(type: string): Promise<readonly FhirObject[]> {
  const { token, acting } = await ours();
  const headers = { authorization: `Bearer ${token}`, [ACTING_HEADER]: await node.statement(acting) };
  const call = { method: 'GET', params: { id: ids.patient }, query: new URLSearchParams(), headers, body: undefined } as const;
  const { text = '' } = await new PatientSummary(node.parts, new OtherForms(node.parts)).summary(call);
  const entries = treeOf(text)['entry'] as unknown as readonly { resource: FhirObject }[];
  return entries.map(({ resource }) => resource).filter((one) => one['resourceType'] === type);
}

describe('a summary from abroad', () => {
  let pairs: readonly ListedPair[];
  beforeAll(async () => {
    await arrives(summary('first'));
    pairs = await listed();
  });

  it('proposes each entry that says what the record said already, and no result of another value', () => {
    expect(pairs.map((one) => one.known).toSorted()).toEqual([known.allergy, known.observation].toSorted());
    expect(pairs.map(({ state, known: one, come }) => [state, one.split('/')[0] === come.split('/')[0], one === come])).toEqual([
      ['open', true, false],
      ['open', true, false],
    ]);
  });

  it('merges nothing: both stand, and both are shown', async () => {
    for (const { known: one, come } of pairs)
      for (const entry of [one, come]) expect(await current(node, ...(entry.split('/') as [string, string]))).toBeDefined();
    expect(await inSummary('AllergyIntolerance')).toHaveLength(2);
    expect((await seenAbroad(node, mari)).filter(({ type }) => type === 'Observation')).toHaveLength(3);
  });

  it('proposes the same again where it comes again', async () => {
    await arrives(summary('first'));
    expect(await listed()).toEqual(pairs);
    expect(await listed(`?patient=${ids.patient}`)).toEqual(pairs);
    expect(await listed(`?after=${pairs[0]?.id ?? ''}`)).toEqual(pairs.slice(1));
  });

  it('is told to the person when somebody looks', async () => {
    expect((await feed()).at(-1)).toMatchObject({ act: 'record-searched', who: { name: 'Dr Peeter Proov' } });
  });
});

describe('what the staff judges', () => {
  let allergy: ListedPair;
  let observation: ListedPair;
  beforeEach(async () => {
    await arrives(summary('first'));
    const all = [...(await listed()), ...(await listed('?state=same')), ...(await listed('?state=different'))];
    const of = (entry: string): ListedPair => all.find((one) => one.known === entry) as ListedPair;
    [allergy, observation] = [of(known.allergy), of(known.observation)];
  });

  it('the same is shown once, by the known entry, in a summary and abroad', async () => {
    expect((await judge(allergy.id, 'same')).json()).toEqual({ ...allergy, state: 'same' });
    expect((await judge(observation.id, 'same', 'One sample')).status).toBe(200);
    const [shown, ...others] = await inSummary('AllergyIntolerance');
    expect([others, shown?.['onsetDateTime']]).toEqual([[], undefined]);
    expect((await seenAbroad(node, mari)).filter(({ type }) => type === 'Observation')).toHaveLength(2);
    expect(await current(node, ...(allergy.come.split('/') as [string, string]))).toMatchObject({ versionId: 1, deleted: false });
    expect(await listed()).toEqual([]);
    expect((await listed('?state=same')).map(({ id }) => id)).toEqual([allergy.id, observation.id].toSorted());
    expect(problem(await judge(allergy.id, 'different'))).toEqual({ status: 409, code: 'reconciliation.judged' });
  });

  it('says in FHIR what was judged, by whom and why, and she sees it', async () => {
    const linkage = treeOf((await current(node, 'Linkage', observation.id))!.text);
    expect(linkage).toMatchObject({
      active: true,
      item: [
        { type: 'source', resource: { reference: observation.known } },
        { type: 'alternate', resource: { reference: observation.come } },
      ],
    });
    const provenance = (await node.run((tx) => tx.resources.ofPerson(mari, 'all', 100)))
      .filter(({ type }) => type === 'Provenance')
      .map(({ text }) => treeOf(text))
      .find((one) => JSON.stringify(one['target']).includes(`Linkage/${observation.id}/_history/1`));
    expect(provenance).toMatchObject({ reason: [{ text: 'One sample' }], agent: [{ who: { display: 'Dr Peeter Proov' } }] });
    for (const one of [linkage, provenance as FhirObject]) expect(isRefused(node.parts.fhirValidator.validate(one))).toBe(false);
    expect((await feed()).filter(({ act }) => act === 'entries-reconciled').map(({ reason }) => reason)).toEqual([
      'judged to say the same: Read both',
      'judged to say the same: One sample',
    ]);
  });

  it('is not proposed again, and an entry under a new id is', async () => {
    await arrives(summary('first'));
    expect(await listed()).toEqual([]);
    await arrives(summary('second'));
    const fresh = await listed();
    expect(fresh.filter((one) => one.known === known.allergy)).toHaveLength(1);
    expect(new Set(fresh.map(({ id }) => id)).has(allergy.id)).toBe(false);
    for (const { id } of fresh) await judge(id, 'different');
    await arrives(summary('second'));
    expect(await listed()).toEqual([]);
    expect(await inSummary('AllergyIntolerance')).toHaveLength(2);
  });

  it('and corrected since is shown twice, until the two say the same again', async () => {
    const correct = (code: FhirObject): Promise<unknown> =>
      node.run((tx) => fileEntry(tx, { ...ownAllergy, code }, { person: mari }, node.parts));
    const before = (await inSummary('AllergyIntolerance')).length;
    await correct(concept(SNOMED, '91934008'));
    expect(await inSummary('AllergyIntolerance')).toHaveLength(before + 1);
    await correct(penicillin);
    expect(await inSummary('AllergyIntolerance')).toHaveLength(before);
  });

  it('can be taken back: both are shown again, and the pair is open', async () => {
    const before = (await inSummary('AllergyIntolerance')).length;
    expect((await judge(allergy.id, 'open', 'A mistake')).json()).toEqual({ ...allergy, state: 'open' });
    expect(await inSummary('AllergyIntolerance')).toHaveLength(before + 1);
    expect(treeOf((await current(node, 'Linkage', allergy.id))!.text)['active']).toBe(false);
    expect((await listed()).map(({ id }) => id)).toEqual([allergy.id]);
    expect(problem(await judge(allergy.id, 'open'))).toEqual({ status: 409, code: 'reconciliation.judged' });
    expect((await feed()).at(-1)).toMatchObject({ act: 'record-searched' });
    expect((await feed()).map(({ reason }) => reason)).toContain('the judgement was taken back: A mistake');
  });

  it('is withdrawn where an entry is corrected before anybody judged, and opened again with it', async () => {
    const correct = (over: object): Promise<unknown> =>
      node.run((tx) => fileEntry(tx, { ...ownAllergy, ...over }, { person: mari }, node.parts));
    await correct({ code: concept(SNOMED, '91934008') });
    expect(await listed()).toEqual([]);
    expect(problem(await judge(allergy.id, 'same'))).toEqual({ status: 409, code: 'reconciliation.judged' });
    await correct({
      verificationStatus: concept('http://terminology.hl7.org/CodeSystem/allergyintolerance-verification', 'entered-in-error'),
    });
    expect(await listed()).toEqual([]);
    await correct({});
    expect((await listed()).map(({ id }) => id)).toEqual([allergy.id]);
  });

  it('is judged once, whoever judges at the same time', async () => {
    const answers = await Promise.all(['same', 'different', 'same'].map((to) => judge(allergy.id, to)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409, 409]);
    const [winner] = answers.filter(({ status }) => status === 200);
    await judge(allergy.id, 'open');
    expect(['same', 'different']).toContain(winner?.json<ListedPair>().state);
  });

  it('is nobody else’s to judge or to list', async () => {
    const path = `/custodian/reconciliations/${allergy.id}/same`;
    const body = { reason: 'Yes' };
    const [person, stranger] = [await ground.provider.login('mari'), await ground.provider.login('stranger')];
    const [system, reading] = [await ground.provider.systemToken(), await ground.provider.systemToken('system/*.read')];
    expect(problem(await node.post(path, person, body))).toEqual({ status: 403, code: 'access.not-allowed' });
    expect(problem(await node.post(path, system, body))).toEqual({ status: 403, code: 'access.professional-missing' });
    expect(problem(await node.post(path, stranger, body))).toEqual({ status: 403, code: 'person.not-custodian' });
    expect(problem(await node.post(path, reading, body, peeter))).toEqual({ status: 403, code: 'fhir.scope-missing' });
    expect(problem(await node.post(path, system, {}, peeter))).toEqual({ status: 422, code: 'person.body-invalid' });
    expect(problem(await judge(randomUUID(), 'same'))).toEqual({ status: 404, code: 'reconciliation.unknown' });
    expect(problem(await judge('none', 'same'))).toEqual({ status: 404, code: 'reconciliation.unknown' });
    const listing = (token: string): Promise<Answer> => node.call('/custodian/reconciliations', { token });
    expect(problem(await listing(person))).toEqual({ status: 403, code: 'access.not-allowed' });
    expect((await listing(stranger)).json()).toEqual({ reconciliations: [] });
    const writing = { token: await ground.provider.systemToken('system/*.write'), acting: peeter };
    expect((await node.call('/custodian/reconciliations', writing)).json()).toEqual({ reconciliations: [] });
    expect(problem(await look('?state=withdrawn'))).toEqual({ status: 400, code: 'reconciliation.state-invalid' });
    expect(problem(await look('?after=none'))).toEqual({ status: 400, code: 'person.place-invalid' });
    expect(problem(await look(`?patient=${randomUUID()}`))).toEqual({ status: 404, code: 'fhir.not-found' });
  });
});

describe('a message of the country’s own that comes after the summary', () => {
  const name = `own-${randomUUID().slice(0, 8)}`;
  /** A result that the summary told of already, as the laboratory itself sends it. */
  const own = (value: number, from = name, identifier = people.mari, given = 'Mari'): string => {
    const bundle = JSON.parse(summary(from, identifier, given)) as { entry: { resource: IdentifiedResource; fullUrl: string }[] };
    const kept = bundle.entry.filter(({ resource: { resourceType, id } }) => resourceType === 'Patient' || id === 'other');
    const entry = kept.map(({ resource, fullUrl }) => ({
      fullUrl,
      resource: {
        ...resource,
        ...(resource.resourceType === 'Observation' && {
          valueQuantity: { value, unit: 'g/L', system: 'http://unitsofmeasure.org', code: 'g/L' },
        }),
      },
      request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
    }));
    return JSON.stringify({ resourceType: 'Bundle', id: randomUUID(), type: 'transaction', entry });
  };
  const results = async (person: PersonId): Promise<readonly string[]> =>
    (await node.run((tx) => tx.resources.ofPerson(person, 'all', 500)))
      .filter(({ type, text }) => type === 'Observation' && text.includes('118'))
      .map(({ id }) => `Observation/${id}`);
  let entry: string;
  const open = async (): Promise<readonly ListedPair[]> => (await listed()).filter((one) => one.known === entry);

  it('is compared when it is filed: what came from abroad may repeat it, and is judged by who brought that', async () => {
    await arrives(summary('first'));
    const before = new Set(await results(mari));
    await arrives(own(118));
    [entry = ''] = (await results(mari)).filter((one) => !before.has(one));
    const pairs = await open();
    expect(pairs.length).toBeGreaterThan(0);
    expect(pairs.map(({ come }) => come).toSorted()).toEqual([...before].toSorted());
    expect((await listed()).filter(({ come }) => come === entry)).toEqual([]);
    await arrives(own(118));
    expect(await open()).toEqual(pairs);
  });

  it('is compared again where it says something else since, and not where it was judged', async () => {
    const [judged, ...others] = await open();
    expect((await judge(judged?.id ?? '', 'different')).status).toBe(200);
    await arrives(own(119));
    expect(await open()).toEqual([]);
    await arrives(own(118));
    expect((await open()).map(({ id }) => id).toSorted()).toEqual(others.map(({ id }) => id).toSorted());
  });

  it('proposes nothing of a person to whom nothing came from abroad', async () => {
    const somebody = await node.person([people.nobody], 'Nobody');
    await arrives(own(118, `${name}-nobody`, people.nobody, 'Nobody'));
    await arrives(own(119, `${name}-nobody`, people.nobody, 'Nobody'));
    expect(await node.run((tx) => tx.reconciliations.unjudgedOf(somebody))).toEqual([]);
    expect(await node.run((tx) => tx.reconciliations.foreignOf(somebody, 10))).toEqual([]);
  });
});

describe('two entries of persons who were joined', () => {
  it('are proposed as one person’s, withdrawn where the two are parted, and gone with either', async () => {
    const { country, random, sha256 } = node.parts;
    const [juku, double] = [await node.person([people.juku], 'Juku'), await node.person([people.double], 'Juku')];
    const hers = { ...recordOf({ patient: randomUUID(), observation: randomUUID(), condition: randomUUID() })[2]!, id: randomUUID() };
    const messageId = await fileRecord(node, juku, [hers]);
    const merge = { id: randomUUID(), prior: juku, survivor: double, messageId, at: new Date().toISOString() };
    await node.run((tx) => tx.persons.merge(merge));
    await arrives(summary('third', people.double, 'Juku'));
    const [pair, ...others] = (await listed()).filter((one) => one.known === `Observation/${hers.id}`);
    expect([pair?.state, others]).toEqual(['open', []]);
    const parting = { actor: peeter, reason: 'They are two', at: new Date().toISOString() };
    const tools = { country, random, sha256Of: (text: string) => sha256Hex(text, sha256), index: indexOptions(node.parts) };
    await node.run((tx) => partPersons(tx, { ...merge, undoneAt: undefined }, parting, tools));
    const left = (): Promise<unknown> => node.run((tx) => tx.reconciliations.get(pair?.id ?? ''));
    expect(await left()).toMatchObject({ state: 'withdrawn', person: double });
    const order = { identifier: people.juku, reason: 'Asked for by the person' };
    expect((await node.post('/operator/persons/erase', await ground.provider.login('operator'), order)).status).toBe(200);
    expect(await left()).toBeUndefined();
  });
});

describe('of a person who is erased', () => {
  it('nothing of it is left', async () => {
    const pairs = [...(await listed()), ...(await listed('?state=same')), ...(await listed('?state=different'))];
    expect(pairs.length).toBeGreaterThan(3);
    const order = { identifier: people.mari, reason: 'Asked for by the person' };
    expect((await node.post('/operator/persons/erase', await ground.provider.login('operator'), order)).status).toBe(200);
    for (const { id } of pairs) {
      expect(await node.run((tx) => tx.reconciliations.get(id))).toBeUndefined();
      expect(problem(await judge(id, 'open'))).toEqual({ status: 404, code: 'reconciliation.unknown' });
    }
    expect(await current(node, 'Linkage', pairs[0]?.id ?? '')).toBeUndefined();
    expect(await node.run((tx) => tx.reconciliations.foreignOf(mari, 10))).toEqual([]);
  });
});

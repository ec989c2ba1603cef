import { randomUUID } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BusinessIdentifier, DataCategory } from '@portolan/contracts';
import { categoriesOf, ensureTransferId, englishWording, release, type AskCommand } from '@portolan/domain';
import { countryPack, toFhirJson, translate, type FhirObject, type Translation } from '@portolan/formats';
import { sha256 } from '@portolan/keys';
import { hexOf } from '@portolan/verify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FhirNode, peeter, type FhirCallOptions, type Reply } from './test-support/fhir-node.js';
import { observation, seed, seedPerson } from './test-support/records.fixture.js';

const libs = join(import.meta.dirname, '../../../..');
const ANA: BusinessIdentifier = { system: 'urn:oid:2.16.620.1.101.10.1.2', value: '999000001' };
const HL7 = { headers: { accept: 'application/hl7-v2' } };
const CDA = { headers: { accept: 'application/cda+xml' } };
const hex = (bytes: Uint8Array): string => hexOf(sha256(bytes));

function packOf(cc: string): ReturnType<typeof countryPack> {
  const home = join(libs, 'countries', cc);
  const files = readdirSync(home, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.json'));
  return countryPack(Object.fromEntries(files.map((file) => [file, JSON.parse(readFileSync(join(home, file), 'utf8'))])));
}
const portugal = packOf('pt');
const read = (bytes: Uint8Array, cc: string, format: 'auto' | 'cda' | 'hl7v2' = 'auto'): Translation =>
  translate({ bytes, format, country: cc === 'pt' ? portugal : packOf(cc), sha256: hex, received: '2026-11-28T10:00:00.000Z' });
const held = ['hl7v2/pt-oru-r01.hl7', 'cda/pt-ana-exemplo-summary.xml'].flatMap(
  (file) => read(readFileSync(join(libs, 'formats/fixtures', file)), 'pt').resources,
);

/** What Portugal releases of Ana, by the very code that a custodian runs. */
function releasedOf(identifiers: readonly BusinessIdentifier[], categories: readonly DataCategory[]): string {
  const made = release({
    permit: { categories, identifiers },
    asked: { categories },
    gathered: held.map((resource) => ({
      type: resource.resourceType,
      id: resource.id,
      versionId: '1',
      lastUpdated: '2026-11-21T10:00:00.000Z',
      text: toFhirJson(resource),
      categories: categoriesOf(resource as unknown as Parameters<typeof categoriesOf>[0]),
      custodian: 'PT',
    })),
    custodian: { country: 'PT', identifier: { system: 'urn:portolan:demo:pt:organisation', value: 'custodian' }, name: 'Demo record' },
    wording: englishWording,
    timestamp: '2026-11-21T10:00:00.000Z',
    sha256: hex,
  });
  if (made === undefined) throw new Error('the fixture releases nothing');
  return made.text;
}

/** A record of Ana that crossed to this node, for the categories: her handle here and the transfer. */
async function crossed(node: FhirNode, categories: readonly DataCategory[]): Promise<{ handle: string; view: string; transfer: string }> {
  node.exchange.onMessage = async ({ type, body }) => {
    if (type !== 'transfer.ask') return;
    const { kind, transferId } = body as AskCommand & { kind: string };
    if (kind === 'match') await node.exchange.send('transfer.outcome', { transferId, outcome: 'certain-match' });
    else await node.exchange.send('view.store', stored(body as AskCommand));
  };
  const resource = { resourceType: 'Patient', identifier: [ANA], birthDate: '1980-02-02', name: [{ family: 'Exemplo', given: ['Ana'] }] };
  const matched = await parametersTo(node, '/fhir/Patient/$match', [
    { name: 'resource', resource },
    { name: 'onlyCertainMatches', valueBoolean: true },
    { name: 'country', valueCode: 'PT' },
  ]);
  const handle = matched.json<fhir4.Bundle>().entry?.[0]?.resource?.id ?? '';
  const asked = await parametersTo(node, '/fhir/$request-record', [
    { name: 'patient', valueReference: { reference: `Patient/${handle}` } },
    ...categories.map((category) => ({ name: 'category', valueCode: category })),
    { name: 'purpose', valueCode: 'TREAT' },
  ]);
  const given = asked.json<fhir4.Parameters>().parameter ?? [];
  const view = given.find(({ name }) => name === 'view')?.valueReference?.reference?.split('/')[1] ?? '';
  return { handle, view, transfer: given.find(({ name }) => name === 'transfer')?.valueId ?? '' };
}

const parametersTo = (node: FhirNode, path: string, parameter: readonly object[]): Promise<Reply> =>
  node.post(path, { resourceType: 'Parameters', parameter });

function stored({
  transferId,
  categories,
  purpose,
  caseId,
}: AskCommand): Parameters<typeof FhirNode.prototype.exchange.send<'view.store'>>[1] {
  const until = new Date(Date.now() + 86_400_000).toISOString();
  const permitId = randomUUID();
  const basis = { v: 1, salt: 'x', permitId, custodian: 'PT', recipient: 'EE', purpose, until, ground: 'consent', person: ANA, duties: [] };
  const opening = JSON.stringify({ ...basis, categories });
  const openedFor = `${peeter.id.system}|${peeter.id.value}`;
  const record = releasedOf([ANA], categories);
  return { transferId, viewId: randomUUID(), custodian: 'PT', permitId, purpose, caseId, openedFor, until, record, opening };
}

const codeOf = (reply: Reply): string | undefined => reply.json<fhir4.OperationOutcome>().issue[0]?.details?.coding?.[0]?.code;
const segments = (text: string): string[] => text.split('\r').map((line) => line.slice(0, 3));

describe('a hospital whose systems read HL7 v2 and CDA alone', () => {
  let node: FhirNode;
  beforeAll(async () => (node = await FhirNode.start(({ pack }) => ({ pack: { ...pack, formatsOut: ['hl7v2', 'cda'] } }))));
  afterAll(() => node.close());

  it('reads a laboratory report from abroad as ORU^R01, and the custodian is told as of any reading', async () => {
    const { view, transfer } = await crossed(node, ['laboratory']);
    const reply = await node.call(`/fhir/Bundle/${view}`, HL7);
    expect(reply.status).toBe(200);
    expect(reply.headers.get('content-type')).toBe('application/hl7-v2; charset=utf-8');
    expect(reply.headers.get('cache-control')).toBe('no-store');
    expect(reply.text).toMatch(/^MSH\|\^~\\&\|PORTOLAN\|EE\|.*\|ORU\^R01\^ORU_R01\|/);
    expect(segments(reply.text)).toEqual(expect.arrayContaining(['PID', 'OBR', 'OBX']));
    expect(read(Buffer.from(reply.text), 'ee', 'hl7v2').account.rejects).toEqual([]);
    const notice = await node.exchange.until('view.notice', ({ transferId }) => transferId === transfer);
    expect(notice).toMatchObject({ kind: 'accessed', actor: peeter });
    const [event] = await node.run(({ audit }) => audit.list({ transferId: ensureTransferId(transfer) }, 10));
    expect(event).toMatchObject({ type: 'view-read', outcome: 'success' });
    expect(event?.body).toContain('{"type":"form","valueString":"hl7v2"}');
  });

  it('reads a summary from abroad as CDA, which says what the FHIR document says', async () => {
    const { view } = await crossed(node, ['summary']);
    const reply = await node.call(`/fhir/Bundle/${view}`, CDA);
    expect(reply.status).toBe(200);
    expect(reply.headers.get('content-type')).toBe('application/cda+xml; charset=utf-8');
    const { resources, account } = read(Buffer.from(reply.text), 'pt', 'cda');
    expect(account.rejects).toEqual([]);
    const codes = (all: readonly FhirObject[], type: string): string[] =>
      all.filter((one) => one['resourceType'] === type).map((one) => toFhirJson((one['code'] as FhirObject)['coding'] ?? ''));
    const sent = (await node.call(`/fhir/Bundle/${view}`))
      .json<fhir4.Bundle>()
      .entry?.map((entry) => entry.resource as unknown as FhirObject);
    for (const type of ['AllergyIntolerance', 'Condition']) {
      expect(codes(resources, type).length).toBeGreaterThan(0);
      expect(codes(resources, type)).toHaveLength(codes(sent ?? [], type).length);
    }
    expect(resources.some(({ resourceType }) => resourceType === 'Patient')).toBe(true);
  });

  it('gets no more than the permit holds: a summary has no laboratory result in either form', async () => {
    const { handle } = await crossed(node, ['summary']);
    // A medicine is an OBX of LOINC 10160-0.
    for (const form of [HL7, CDA])
      expect((await node.call(`/fhir/Patient/${handle}/$summary`, form)).text).not.toMatch(/\rOBX\|\d+\|\w*\|(?!10160-0\^)|30954-2/);
  });

  it('reads its own record in these forms, too', async () => {
    const { person, patient, identifier } = await seedPerson(node, 'Näidis');
    await seed(node, observation(patient), person);
    const summary = await node.call(`/fhir/Patient/${patient}/$summary`, CDA);
    expect(summary.text).toContain(`extension="${identifier.value}"`);
    expect(summary.text).toContain('<value xsi:type="PQ" value="1.50" unit="mg/dL"/>');
    const message = await node.call(`/fhir/Patient/${patient}/$summary?_format=application/hl7-v2`);
    expect(message.text).toMatch(/\rPID\|1\|.*Näidis/);
    const events = await node.run(({ audit }) => audit.list({ person }, 10));
    expect(events.map(({ body }) => /"valueString":"(cda|hl7v2)"/.exec(body ?? '')?.[1]).sort()).toEqual(['cda', 'hl7v2']);
  });

  it.each<[string, FhirCallOptions, number]>([
    ['another professional', { actor: { ...peeter, id: { ...peeter.id, value: 'D00009' } } }, 404],
    ['a scope over one type', { scope: 'system/Patient.rs' }, 403],
    ['nobody', { token: '' }, 401],
  ])('is refused as for FHIR: %s', async (_, options, status) => {
    const { handle } = await crossed(node, ['summary']);
    const reply = await node.call(`/fhir/Patient/${handle}/$summary`, { ...CDA, ...options });
    expect(reply.status).toBe(status);
    expect(reply.headers.get('content-type')).toContain('application/fhir+json');
  });

  it.each([
    ['a single entry', (id: string) => `/fhir/Patient/${id}`],
    ['a search', (id: string) => `/fhir/Observation?patient=${id}`],
  ])('gets %s as FHIR alone', async (_, path) => {
    const { patient } = await seedPerson(node, 'Näidis');
    const reply = await node.call(path(patient), HL7);
    expect([reply.status, codeOf(reply)]).toEqual([406, 'fhir.form-undeclared']);
    const both = await node.call(path(patient), { headers: { accept: 'application/hl7-v2, application/fhir+json;q=0.5' } });
    expect(both.status).toBe(200);
  });
});

describe('a country whose systems read ISO 8859-1', () => {
  let node: FhirNode;
  beforeAll(async () => (node = await FhirNode.start(({ pack }) => ({ pack: { ...pack, formatsOut: ['hl7v2'], charsetOut: '8859/1' } }))));
  afterAll(() => node.close());

  it('gets its bytes, and MSH-18 and Content-Type say so', async () => {
    const { patient } = await seedPerson(node, 'Näidis');
    const reply = await node.call(`/fhir/Patient/${patient}/$summary`, HL7);
    expect([reply.status, reply.headers.get('content-type')]).toEqual([200, 'application/hl7-v2; charset=iso-8859-1']);
    expect(reply.text).toMatch(/^MSH\|.*\|8859\/1\r/);
    // The reply was read as UTF-8, in which the byte of ä is none.
    expect(reply.text).toContain('N\ufffdidis');
  });

  it('is refused what this set cannot say, and nothing is on record as read', async () => {
    const { person, patient } = await seedPerson(node, 'Łucja');
    const reply = await node.call(`/fhir/Patient/${patient}/$summary`, HL7);
    expect([reply.status, codeOf(reply)]).toEqual([422, 'translate.charset-lacking']);
    expect(reply.text).not.toContain('Ł');
    expect(await node.run(({ audit }) => audit.list({ person }, 10))).toEqual([]);
  });
});

describe('a country that has declared no other form', () => {
  let node: FhirNode;
  beforeAll(async () => (node = await FhirNode.start()));
  afterAll(() => node.close());

  it.each([HL7, CDA])('refuses it, and nothing is on record as read: %j', async (form) => {
    const { person, patient } = await seedPerson(node, 'Näidis');
    const reply = await node.call(`/fhir/Patient/${patient}/$summary`, form);
    expect([reply.status, codeOf(reply)]).toEqual([406, 'fhir.form-undeclared']);
    expect(await node.run(({ audit }) => audit.list({ person }, 10))).toEqual([]);
  });
});

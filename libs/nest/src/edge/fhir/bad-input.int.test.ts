import { randomUUID } from 'node:crypto';
import { generateJwtKey } from '@portolan/jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clinicianClaims, FhirNode, peeter, type FhirCallOptions, type Reply } from './test-support/fhir-node.js';
import { observation, PIN, seed, seedPerson, type SeededPerson } from './test-support/records.fixture.js';

interface Case {
  readonly why: string;
  readonly path: string;
  readonly options?: FhirCallOptions | (() => Promise<FhirCallOptions>);
  readonly status: number;
  readonly code: string;
  /** FHIR issue type, where it matters to a client. */
  readonly issue?: string;
}

const NEVER = randomUUID();
const read = `/fhir/Observation/${NEVER}`;
const search = '/fhir/Observation';
const match = '/fhir/Patient/$match';
const request = '/fhir/$request-record';
const post = (resource: unknown, also: FhirCallOptions = {}): FhirCallOptions => ({ body: JSON.stringify(resource), ...also });
const parameters = (...parameter: readonly object[]): FhirCallOptions => post({ resourceType: 'Parameters', parameter });
const patient = { resourceType: 'Patient', identifier: [{ system: PIN, value: '1' }], birthDate: '1971-01-01' };
const asked = { name: 'patient', valueReference: { reference: `Patient/${NEVER}` } };
const category = { name: 'category', valueCode: 'summary' };
const reason = { name: 'reason', valueString: 'why' };
const deep = `{"resourceType":"Patient","extension":${'[{"extension":'.repeat(40)}[]${'}]'.repeat(40)}}`;
const xml = (body: string): FhirCallOptions => ({ body, type: 'application/fhir+xml' });
const nowSeconds = (): number => Math.floor(Date.now() / 1000);

describe('the FHIR door refuses, with a code and an OperationOutcome', () => {
  let node: FhirNode;
  let mari: SeededPerson;

  beforeAll(async () => {
    node = await FhirNode.start();
    mari = await seedPerson(node, 'Näidis');
    await seed(node, observation(mari.patient), mari.person);
  });
  afterAll(() => node.close());

  const token =
    (claims: Readonly<Record<string, unknown>>): (() => Promise<FhirCallOptions>) =>
    async () => ({ token: await node.token(claims) });

  const access: readonly Case[] = [
    { why: 'no token', path: read, options: { token: '' }, status: 401, code: 'access.token-missing', issue: 'login' },
    { why: 'a token that is none', path: read, options: { token: 'abc' }, status: 401, code: 'access.token-invalid' },
    {
      why: 'an expired token',
      path: read,
      options: token({ iat: nowSeconds() - 900, exp: nowSeconds() - 600 }),
      status: 401,
      code: 'access.token-expired',
      issue: 'expired',
    },
    {
      why: 'a token of another issuer',
      path: read,
      options: token({ iss: 'https://elsewhere.test' }),
      status: 401,
      code: 'access.token-invalid',
    },
    {
      why: 'a token for another node',
      path: read,
      options: token({ aud: 'urn:portolan:node:pt' }),
      status: 401,
      code: 'access.token-invalid',
    },
    {
      why: 'a token under a foreign key',
      path: read,
      options: async () => ({ token: await node.token({}, await generateJwtKey('provider')) }),
      status: 401,
      code: 'access.token-invalid',
    },
    {
      why: 'a person’s token',
      path: read,
      options: token({ ptl_kind: 'person', ptl_person: { system: PIN, value: '1' } }),
      status: 403,
      code: 'access.not-allowed',
    },
    {
      why: 'nobody who acts',
      path: read,
      options: { anonymous: true },
      status: 403,
      code: 'access.professional-missing',
      issue: 'required',
    },
    {
      why: 'a statement under a foreign key',
      path: read,
      options: async () => ({ anonymous: true, headers: { 'portolan-acting-professional': await node.token({}) } }),
      status: 401,
      code: 'access.assertion-invalid',
    },
    {
      why: 'a scope of another type',
      path: read,
      options: { scope: 'system/Condition.rs' },
      status: 403,
      code: 'fhir.scope-missing',
      issue: 'forbidden',
    },
    {
      why: 'a scope over tables of contents alone, which tell of entries of every type',
      path: `/fhir/Composition/${NEVER}`,
      options: { scope: 'system/Composition.rs system/Bundle.rs' },
      status: 403,
      code: 'fhir.scope-missing',
    },
    {
      why: 'the same, which would search them',
      path: '/fhir/Composition?section=11450-4',
      options: { scope: 'system/Composition.rs system/Bundle.rs' },
      status: 403,
      code: 'fhir.scope-missing',
    },
    {
      why: 'a scope that reads and does not search',
      path: search,
      options: { scope: 'system/Observation.r' },
      status: 403,
      code: 'fhir.scope-missing',
    },
    {
      why: 'an application with a system’s scope',
      path: read,
      options: async () => ({ anonymous: true, token: await node.token({ ...clinicianClaims(peeter, 'TREAT'), scope: 'system/*.read' }) }),
      status: 403,
      code: 'fhir.scope-missing',
    },
    {
      why: 'no scope at all',
      path: request,
      options: { ...parameters(asked, category), scope: 'openid' },
      status: 403,
      code: 'fhir.scope-missing',
    },
    {
      why: 'a case that is no UUID',
      path: read,
      options: { headers: { 'portolan-case': 'case 7' } },
      status: 422,
      code: 'fhir.parameter-invalid',
    },
  ];
  const addresses: readonly Case[] = [
    { why: 'a resource never recorded', path: read, status: 404, code: 'fhir.not-found', issue: 'not-found' },
    { why: 'an id that cannot be one', path: `/fhir/Observation/${encodeURIComponent('a b')}`, status: 404, code: 'fhir.not-found' },
    { why: 'an id with a zero byte', path: '/fhir/Observation/a%00b', status: 404, code: 'fhir.not-found' },
    { why: 'a version that is no number', path: `${read}/_history/latest`, status: 404, code: 'fhir.not-found' },
    { why: 'an unknown type', path: '/fhir/Banana/1', status: 404, code: 'fhir.type-unsupported', issue: 'not-supported' },
    { why: 'a search for an unknown type', path: '/fhir/Banana', status: 404, code: 'fhir.type-unsupported' },
    { why: 'audit events, which are not shown here', path: '/fhir/AuditEvent', status: 404, code: 'fhir.type-unsupported' },
    { why: 'a type named like what every object has', path: '/fhir/constructor/1', status: 404, code: 'fhir.type-unsupported' },
    { why: 'an address without anything', path: '/fhir/Patient/1/2/3/4/5', status: 404, code: 'fhir.address-unknown' },
    { why: 'an address that cannot be decoded', path: '/fhir/Observation/%E0%A4%A', status: 404, code: 'fhir.address-unknown' },
    { why: 'an unknown operation', path: '/fhir/$everything', options: { method: 'POST' }, status: 404, code: 'fhir.address-unknown' },
    {
      why: 'an update',
      path: `/fhir/Patient/${NEVER}`,
      options: { ...post(patient), method: 'PUT' },
      status: 405,
      code: 'fhir.method-unsupported',
    },
    { why: 'a deletion', path: `/fhir/Patient/${NEVER}`, options: { method: 'DELETE' }, status: 405, code: 'fhir.method-unsupported' },
    { why: 'a creation', path: '/fhir/Patient', options: post(patient), status: 405, code: 'fhir.method-unsupported' },
    { why: 'a format that nobody writes', path: '/fhir/metadata?_format=turtle', status: 406, code: 'fhir.not-acceptable' },
    {
      why: 'an Accept that nothing fits',
      path: read,
      options: { headers: { accept: 'text/html' } },
      status: 406,
      code: 'fhir.not-acceptable',
    },
    {
      why: 'another FHIR version',
      path: read,
      options: { headers: { accept: 'application/fhir+json; fhirVersion=5.0' } },
      status: 406,
      code: 'fhir.not-acceptable',
    },
    { why: 'somebody else’s request', path: `/fhir/$async/${NEVER}`, status: 404, code: 'request.unknown' },
    { why: 'a request that is no id', path: '/fhir/$async/1', status: 404, code: 'request.unknown' },
  ];
  const searches: readonly Case[] = [
    { why: 'an unknown parameter', path: `${search}?colour=red`, status: 400, code: 'fhir.search-parameter-unknown' },
    { why: 'an unknown modifier', path: `${search}?code:in=x`, status: 400, code: 'fhir.search-modifier-unsupported' },
    {
      why: 'a chain, also for a lenient client',
      path: `${search}?subject.name=x`,
      options: { headers: { prefer: 'handling=lenient' } },
      status: 400,
      code: 'fhir.search-modifier-unsupported',
    },
    { why: 'a date that is none', path: `${search}?date=2026-13`, status: 400, code: 'fhir.search-value-invalid' },
    { why: 'a count that is none', path: `${search}?_count=-1`, status: 400, code: 'fhir.search-value-invalid' },
    { why: 'a page of another search', path: `${search}?_cursor=bm90LmE`, status: 400, code: 'fhir.page-unknown' },
    { why: 'too many parameters', path: `${search}?${'code=1&'.repeat(41)}`, status: 400, code: 'fhir.search-too-large' },
    { why: 'an unknown patient', path: `${search}?patient=Patient/${NEVER}`, status: 404, code: 'fhir.not-found' },
    { why: 'a search as JSON', path: `${search}/_search`, options: post({}), status: 415, code: 'fhir.media-type-unsupported' },
    {
      why: 'a form that is no text',
      path: `${search}/_search`,
      options: { body: new Uint8Array([0x63, 0x3d, 0xff]), type: 'application/x-www-form-urlencoded' },
      status: 422,
      code: 'fhir.parameter-invalid',
    },
  ];
  const bodies: readonly Case[] = [
    {
      why: 'no body',
      path: match,
      options: { method: 'POST', type: 'application/fhir+json', headers: { 'content-type': 'application/fhir+json' } },
      status: 400,
      code: 'fhir.json-invalid',
      issue: 'structure',
    },
    { why: 'half a JSON', path: match, options: { body: '{"resourceType":"Patient"' }, status: 400, code: 'fhir.json-invalid' },
    {
      why: 'a member twice',
      path: match,
      options: { body: '{"resourceType":"Patient","id":"1","id":"2"}' },
      status: 400,
      code: 'fhir.json-invalid',
    },
    { why: 'no resource', path: match, options: { body: '[]' }, status: 400, code: 'fhir.json-invalid' },
    { why: 'too deep', path: match, options: { body: deep }, status: 400, code: 'fhir.json-invalid' },
    { why: 'not UTF-8', path: match, options: { body: new Uint8Array([0x7b, 0xff, 0x7d]) }, status: 400, code: 'fhir.json-invalid' },
    {
      why: 'too large',
      path: match,
      options: { body: `{"resourceType":"Patient","id":"${'x'.repeat(8_000_000)}"}` },
      status: 413,
      code: 'fhir.body-too-large',
      issue: 'too-long',
    },
    {
      why: 'broken XML',
      path: match,
      options: xml('<Patient xmlns="http://hl7.org/fhir"><id value="1"></Patient>'),
      status: 400,
      code: 'fhir.xml-invalid',
    },
    {
      why: 'a document type',
      path: match,
      options: xml('<!DOCTYPE Patient [<!ENTITY a "b">]><Patient xmlns="http://hl7.org/fhir"><id value="&a;"/></Patient>'),
      status: 400,
      code: 'fhir.xml-invalid',
    },
    {
      why: 'XML of another namespace',
      path: match,
      options: xml('<Patient xmlns="urn:hl7-org:v3"/>'),
      status: 400,
      code: 'fhir.xml-invalid',
    },
    {
      why: 'a media type that is no FHIR',
      path: match,
      options: { body: '{}', type: 'text/plain' },
      status: 415,
      code: 'fhir.media-type-unsupported',
    },
    {
      why: 'another character set',
      path: match,
      options: { body: '{}', type: 'application/fhir+json; charset=iso-8859-1' },
      status: 415,
      code: 'fhir.media-type-unsupported',
    },
    {
      why: 'an element that FHIR does not know',
      path: match,
      options: post({ ...patient, colour: 'red' }),
      status: 422,
      code: 'fhir.resource-invalid',
    },
    {
      why: 'a code outside its value set',
      path: match,
      options: post({ ...patient, gender: 'perhaps' }),
      status: 422,
      code: 'fhir.resource-invalid',
    },
    {
      why: 'another resource',
      path: match,
      options: post({ resourceType: 'Basic', code: { text: 'x' } }),
      status: 422,
      code: 'fhir.parameter-invalid',
    },
  ];
  const operations: readonly Case[] = [
    {
      why: 'a match on demographics alone',
      path: match,
      options: post({ resourceType: 'Patient', birthDate: '1971-01-01', name: [{ family: 'Näidis' }] }),
      status: 422,
      code: 'request.identifier-missing',
    },
    {
      why: 'a match without what the country demands',
      path: match,
      options: post({ ...patient, birthDate: undefined }),
      status: 422,
      code: 'fhir.parameter-invalid',
    },
    {
      why: 'a match by half a date',
      path: match,
      options: post({ ...patient, birthDate: '1971' }),
      status: 422,
      code: 'fhir.parameter-invalid',
    },
    {
      why: 'a match in a country that is no partner',
      path: `${match}?country=XX`,
      options: post(patient),
      status: 422,
      code: 'exchange.partner-unknown',
    },
    {
      why: 'a match without the patient',
      path: match,
      options: parameters({ name: 'country', valueCode: 'PT' }),
      status: 422,
      code: 'fhir.parameter-invalid',
    },
    {
      why: 'a match for a purpose not stated',
      path: match,
      options: parameters(
        { name: 'resource', resource: patient },
        { name: 'country', valueCode: 'PT' },
        { name: 'purpose', valueCode: 'HRESCH' },
      ),
      status: 403,
      code: 'request.purpose-not-stated',
    },
    {
      why: 'a request for a person whom nobody matched',
      path: request,
      options: parameters(asked, category),
      status: 404,
      code: 'request.patient-unknown',
    },
    { why: 'a request for nothing', path: request, options: parameters(asked), status: 422, code: 'fhir.parameter-invalid' },
    {
      why: 'a request for an unknown category',
      path: request,
      options: parameters(asked, { name: 'category', valueCode: 'everything' }),
      status: 422,
      code: 'fhir.parameter-invalid',
    },
    { why: 'a request without a patient', path: request, options: parameters(category), status: 422, code: 'fhir.parameter-invalid' },
    {
      why: 'a request since no day',
      path: request,
      options: parameters(asked, category, { name: 'since', valueString: '2026-02-30' }),
      status: 422,
      code: 'fhir.parameter-invalid',
    },
    {
      why: 'a request for an unknown purpose',
      path: request,
      options: parameters(asked, category, { name: 'purpose', valueCode: 'MARKETING' }),
      status: 422,
      code: 'fhir.parameter-invalid',
    },
    {
      why: 'a case that is no UUID',
      path: request,
      options: parameters(asked, category, { name: 'caseId', valueString: '7' }),
      status: 422,
      code: 'fhir.parameter-invalid',
    },
    {
      why: 'an emergency without its id',
      path: request,
      options: parameters(asked, category, { name: 'emergency', part: [reason] }),
      status: 422,
      code: 'fhir.parameter-invalid',
    },
    { why: 'a summary of nobody', path: `/fhir/Patient/${NEVER}/$summary`, status: 404, code: 'fhir.not-found' },
    {
      why: 'an adoption without a reason',
      path: '/fhir/$adopt',
      options: parameters({ name: 'item', valueReference: { reference: `Observation/${NEVER}` } }, asked),
      status: 422,
      code: 'fhir.parameter-invalid',
    },
    {
      why: 'an adoption of nothing',
      path: '/fhir/$adopt',
      options: parameters({ name: 'item', valueReference: { reference: `Observation/${NEVER}` } }, asked, reason),
      status: 404,
      code: 'fhir.not-found',
    },
    {
      why: 'a proposal for another item',
      path: '/fhir/$propose',
      options: parameters(
        { name: 'item', valueReference: { reference: `Patient/${NEVER}` } },
        { name: 'resource', resource: patient },
        reason,
      ),
      status: 422,
      code: 'fhir.parameter-invalid',
    },
    {
      why: 'a correction of a person',
      path: '/fhir/$correct',
      options: parameters({ name: 'resource', resource: { ...patient, id: NEVER } }, reason),
      status: 422,
      code: 'fhir.parameter-invalid',
    },
    {
      why: 'a link to a handle that is none',
      path: '/fhir/$link',
      options: parameters({ name: 'foreign', valueReference: { reference: `Patient/${NEVER}` } }, asked),
      status: 404,
      code: 'request.patient-unknown',
    },
    {
      why: 'an emergency of a week',
      path: '/fhir/$declare-emergency',
      options: {
        ...parameters(
          { name: 'country', valueCode: 'PT' },
          { name: 'until', valueInstant: new Date(Date.now() + 7 * 86_400_000).toISOString() },
          reason,
        ),
        purpose: 'ETREAT',
      },
      status: 422,
      code: 'fhir.parameter-invalid',
    },
    {
      why: 'an emergency of a country that is no partner',
      path: '/fhir/$declare-emergency',
      options: {
        ...parameters({ name: 'country', valueCode: 'XX' }, { name: 'until', valueInstant: new Date().toISOString() }, reason),
        purpose: 'ETREAT',
      },
      status: 422,
      code: 'exchange.partner-unknown',
    },
  ];

  const refused = async ({ path, options = {}, status, code, issue }: Case): Promise<void> => {
    const reply = await node.call(path, typeof options === 'function' ? await options() : options);
    expect([reply.status, codeOf(reply), outcomeOf(reply).resourceType]).toEqual([status, code, 'OperationOutcome']);
    if (issue !== undefined) expect(outcomeOf(reply).issue[0]?.code).toBe(issue);
    expect(reply.headers.get('content-type')).toContain('application/fhir+json');
    if (status === 401) expect(reply.headers.get('www-authenticate')).toBe('Bearer');
    if (status === 405) expect(reply.headers.get('allow')).toMatch(/^(?:GET|POST)/);
    expect(reply.text).not.toMatch(/Näidis|1971|perhaps|colour/);
  };

  describe('who calls', () => it.each(access)('$why', refused));
  describe('addresses and formats', () => it.each(addresses)('$why', refused));
  describe('searches', () => it.each(searches)('$why', refused));
  describe('bodies', () => it.each(bodies)('$why', refused));
  describe('operations', () => it.each(operations)('$why', refused));

  it('says it in XML to a client that wants XML', async () => {
    const reply = await node.call(read, { headers: { accept: 'application/fhir+xml' } });
    expect([reply.status, reply.headers.get('content-type')]).toEqual([404, 'application/fhir+xml; fhirVersion=4.0; charset=utf-8']);
    expect(reply.text).toContain('<code value="fhir.not-found"/>');
  });

  it('names all findings of the validator with their places', async () => {
    const reply = await node.call(match, post({ ...patient, gender: 'perhaps', active: 'yes' }));
    expect(outcomeOf(reply).issue.map(({ expression }) => expression?.[0])).toEqual(
      expect.arrayContaining(['Patient.gender', 'Patient.active']),
    );
  });

  it('logs no word of what came', () => {
    expect(node.lines.join('\n')).not.toMatch(/Näidis|1971|colour|MARKETING/);
  });
});

const outcomeOf = (reply: Reply): fhir4.OperationOutcome => reply.json<fhir4.OperationOutcome>();
const codeOf = (reply: Reply): string | undefined => outcomeOf(reply).issue[0]?.details?.coding?.[0]?.code;

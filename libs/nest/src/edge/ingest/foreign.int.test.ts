import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isRefused, type Person, type ResourceVersion } from '@portolan/domain';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testEdge, type TestEdge } from '../testing/test-edge.js';

const SYSTEM = 'urn:oid:2.999.7.2';
const fixture = readFileSync(join(import.meta.dirname, '../../../../formats/fixtures/fhir/ee-ips-document.json'), 'utf8');

let ee: TestEdge;
beforeAll(async () => {
  ee = await testEdge('EE', { sources: ['ee-gp', 'ee-other'] });
});
afterAll(() => ee.close());

interface Answer {
  readonly status: number;
  readonly json: { messageId?: string; state?: string; format?: string; code?: string; warnings?: { code: string; where: string }[] };
}

async function send(body: string, source = 'ee-gp', type = 'application/fhir+json; fhirVersion=4.0'): Promise<Answer> {
  const headers = { authorization: `Bearer ${await ee.token('system', source)}`, 'content-type': type };
  const answer = await fetch(`${ee.http}/ingest`, { method: 'POST', body, headers });
  return { status: answer.status, json: (await answer.json()) as Answer['json'] };
}
const known = (value: string): Promise<readonly Person[]> => ee.uow.run((tx) => tx.persons.byIdentifier({ system: SYSTEM, value }));
const recordOf = async (value: string): Promise<readonly ResourceVersion[]> => {
  const [person] = await known(value);
  return ee.uow.run((tx) => tx.resources.ofPerson(person!.id, 'all', 1_000));
};

describe('a patient summary from abroad', () => {
  it('is filed under its person, with what was left out told, and its original kept', async () => {
    const { status, json } = await send(fixture);
    expect({ status, ...json }).toMatchObject({ status: 200, state: 'stored', format: 'fhir' });
    expect(json.warnings).toContainEqual({ code: 'fhir.resource-invalid', where: 'Bundle.entry[9].resource.status' });
    const types = (await recordOf('SYN-240101-0001')).map(({ type }) => type).toSorted();
    expect(types).toEqual([
      'AllergyIntolerance',
      'Composition',
      'Condition',
      'MedicationStatement',
      'Observation',
      'Patient',
      'Procedure',
      'Provenance',
    ]);
    expect(await known('SYN-MOTHER')).toEqual([]);
    const message = await ee.uow.run((tx) => tx.messages.get(json.messageId ?? ''));
    expect(Buffer.from(message!.original).toString('utf8')).toBe(fixture);
  });
  it('has a Provenance that names the document and who made it', async () => {
    const [provenance] = (await recordOf('SYN-240101-0001')).filter(({ type }) => type === 'Provenance');
    const resource = JSON.parse(provenance!.text) as Record<string, unknown>;
    expect(isRefused(ee.parts.fhirValidator.validate(resource))).toBe(false);
    expect(resource).toMatchObject({
      agent: [
        { type: { coding: [{ code: 'author' }] } },
        { type: { coding: [{ code: 'assembler' }] } },
        { who: { display: 'Tauno Synteetti', identifier: { value: 'DOC-0001' } } },
        { who: { display: 'Synthetic Health Centre' } },
      ],
      entity: [{ role: 'source' }, { role: 'source', what: { identifier: { value: 'urn:oid:2.999.7.1|IPS-SYNTHETIC-0001' } } }],
    });
  });
  it('sent again changes nothing', async () => {
    const before = await recordOf('SYN-240101-0001');
    const [first, second] = [await send(fixture), await send(fixture)];
    expect(second.json.messageId).toBe(first.json.messageId);
    expect(await recordOf('SYN-240101-0001')).toEqual(before);
  });
});

describe('one resource, updated', () => {
  const observation = (value: number): string =>
    JSON.stringify({
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [
        {
          fullUrl: 'https://gp.example/fhir/Patient/5',
          resource: { resourceType: 'Patient', id: '5', identifier: [{ system: SYSTEM, value: 'SYN-5' }] },
          request: { method: 'PUT', url: 'Patient/5' },
        },
        {
          fullUrl: 'https://gp.example/fhir/Observation/6',
          resource: {
            resourceType: 'Observation',
            id: '6',
            status: 'final',
            code: { text: 'weight' },
            subject: { reference: 'Patient/5' },
            valueInteger: value,
          },
          request: { method: 'PUT', url: 'Observation/6' },
        },
      ],
    });
  it('becomes its next version; the same from another sender is another resource', async () => {
    for (const [value, source] of [
      [70, 'ee-gp'],
      [71, 'ee-gp'],
      [71, 'ee-other'],
    ] as const)
      expect((await send(observation(value), source)).status).toBe(200);
    const found = (await recordOf('SYN-5')).filter(({ type }) => type === 'Observation');
    expect(found.map(({ versionId }) => versionId).toSorted()).toEqual([1, 2]);
  });
});

describe('is refused with its code, and kept as a reject', () => {
  it.each([
    ['no JSON', '{"resourceType":', 400, 'ingest.malformed'],
    ['a member twice', '{"resourceType":"Patient","id":"1","id":"2"}', 400, 'ingest.malformed'],
    ['about nobody', '{"resourceType":"Organization","name":"X"}', 422, 'translate.value-missing'],
    [
      'about two persons',
      JSON.stringify({
        resourceType: 'Bundle',
        type: 'collection',
        entry: ['1', '2'].map((value) => ({
          resource: { resourceType: 'Patient', id: value, identifier: [{ system: SYSTEM, value: `SYN-TWO-${value}` }] },
        })),
      }),
      422,
      'ingest.several-persons',
    ],
  ])('%s', async (_, body, status, code) => {
    const answer = await send(body);
    expect(answer.status).toBe(status);
    expect(JSON.stringify(answer.json)).toContain(code);
    const rejects = await ee.uow.run((tx) => tx.rejects.list('open', 500));
    expect(rejects.map((one) => one.code)).toContain(code);
  });
});

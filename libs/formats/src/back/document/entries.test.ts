import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { toFhirJson, type FhirResource, type FhirValue } from '../../engine/index.js';
import { countryOfTables } from '../../testing/coverage/index.js';
import { translate } from '../../translate.js';
import { BackDocuments } from './index.js';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const country = countryOfTables();
const received = '2026-11-21T10:00:00.000Z';
const documents = BackDocuments.of();

const named = (value: string): FhirValue => [{ system: 'urn:oid:2.999.5.1', value }];
const said = (system: string, code: string): FhirValue => ({ coding: [{ system, code }] });
const about = { reference: 'Patient/p' };
const patient: FhirResource = { resourceType: 'Patient', id: 'p', identifier: named('p') };
const doctor: FhirResource = { resourceType: 'Practitioner', id: 'd', identifier: named('d'), name: [{ family: 'Näidisarst' }] };

/** What is read of the document that the resources make, without ids. */
function thereAndBack(...resources: readonly FhirResource[]): readonly FhirResource[] {
  const { text } = documents.write({
    resources: [patient, doctor, ...resources],
    country,
    sha256,
    made: received,
    documentId: '6b2f3e5a-1111-8222-8333-000000000001',
    language: 'en',
    custodian: { root: '2.999.7', name: 'Nobody' },
  });
  const { account, resources: read } = translate({ bytes: Buffer.from(text), format: 'cda', country, sha256, received });
  expect(account.rejects).toEqual([]);
  return read;
}
const only = (all: readonly FhirResource[], type: string): FhirResource => {
  const found = all.filter(({ resourceType }) => resourceType === type);
  expect(found).toHaveLength(1);
  return found[0]!;
};

describe('a prescription → CDA → FHIR', () => {
  const prescription = (more: Record<string, FhirValue> = {}): FhirResource => ({
    resourceType: 'MedicationRequest',
    id: 'rx',
    identifier: named('rx'),
    status: 'active',
    intent: 'order',
    medicationCodeableConcept: said('http://www.whocc.no/atc', 'C10AA05'),
    subject: about,
    authoredOn: '2026-09-01T10:00:00+03:00',
    requester: { reference: 'Practitioner/d' },
    dosageInstruction: [{ text: 'One', timing: { repeat: { boundsPeriod: { start: '2026-09-01', end: '2026-12-01' } } } }],
    dispenseRequest: { validityPeriod: { start: '2026-09-01' }, numberOfRepeatsAllowed: 2, quantity: { value: 30, unit: '{tbl}' } },
    note: [{ text: 'Not with grapefruit' }],
    ...more,
  });
  it('is one, with its prescriber, dose, packages, validity and remark', () => {
    const all = thereAndBack(prescription());
    expect(all.filter(({ resourceType }) => resourceType === 'MedicationStatement')).toEqual([]);
    expect(only(all, 'MedicationRequest')).toMatchObject({
      identifier: named('rx'),
      status: 'active',
      intent: 'order',
      authoredOn: '2026-09-01T10:00:00+03:00',
      requester: { reference: `Practitioner/${only(all, 'Practitioner').id}` },
      dosageInstruction: [{ text: 'One', timing: { repeat: { boundsPeriod: { start: '2026-09-01', end: '2026-12-01' } } } }],
      note: [{ text: 'Not with grapefruit' }],
    });
    const supply = toFhirJson(only(all, 'MedicationRequest')['dispenseRequest'] as FhirValue);
    for (const part of ['"validityPeriod":{"start":"2026-09-01"}', '"numberOfRepeatsAllowed":2', '"quantity":{"value":30'])
      expect(supply).toContain(part);
  });
  it.each(['active', 'completed', 'on-hold', 'stopped', 'cancelled', 'draft', 'entered-in-error'])('that is %s still is', (status) =>
    expect(only(thereAndBack(prescription({ status })), 'MedicationRequest')['status']).toBe(status),
  );
  it('what is only planned is no order', () => {
    const all = thereAndBack(prescription({ intent: 'plan' }));
    expect(all.filter(({ resourceType }) => resourceType === 'MedicationRequest')).toEqual([]);
    only(all, 'MedicationStatement');
  });
});

describe('results → CDA → FHIR', () => {
  const specimen = (id: string, collection: Record<string, FhirValue>): FhirResource => ({
    resourceType: 'Specimen',
    id,
    identifier: named(id),
    type: said('http://snomed.info/sct', '119364003'),
    subject: about,
    collection,
  });
  const result = (id: string, of: string): FhirResource => ({
    resourceType: 'Observation',
    id,
    identifier: named(id),
    status: 'final',
    category: [said('http://terminology.hl7.org/CodeSystem/observation-category', 'laboratory')],
    code: said('http://loinc.org', '2951-2'),
    subject: about,
    effectiveDateTime: '2026-10-02',
    performer: [{ reference: 'Organization/lab' }],
    specimen: { reference: `Specimen/${of}` },
  });
  const report: FhirResource = {
    resourceType: 'DiagnosticReport',
    id: 'report',
    identifier: named('report'),
    status: 'final',
    category: [said('http://terminology.hl7.org/CodeSystem/observation-category', 'laboratory')],
    code: said('http://loinc.org', '24323-8'),
    subject: about,
    performer: [{ reference: 'Practitioner/d' }, { reference: 'Organization/lab' }],
    specimen: [{ reference: 'Specimen/serum' }],
    result: [{ reference: 'Observation/one' }, { reference: 'Observation/two' }],
  };
  const laboratory: FhirResource = { resourceType: 'Organization', id: 'lab', identifier: named('lab'), name: 'Näidislabor' };
  const all = thereAndBack(
    report,
    laboratory,
    result('one', 'serum'),
    result('two', 'urine'),
    specimen('serum', { collectedDateTime: '2026-10-02T08:30:00+03:00', bodySite: said('http://snomed.info/sct', '14975008') }),
    specimen('urine', { collectedPeriod: { start: '2026-10-01', end: '2026-10-02' } }),
  );
  const of = (type: string): FhirResource[] => all.filter(({ resourceType }) => resourceType === type);

  it('name the laboratory, and the person who signed', () => {
    const [lab] = of('Organization').filter(({ name }) => name === 'Näidislabor');
    const performers = (one: FhirResource): string => toFhirJson(one['performer'] as FhirValue);
    expect(of('Observation')).toHaveLength(2);
    for (const one of of('Observation')) expect(performers(one)).toBe(`[{"reference":"Organization/${lab!.id}"}]`);
    expect(of('DiagnosticReport').map(performers)).toEqual([
      `[{"reference":"Practitioner/${of('Practitioner')[0]!.id}"},{"reference":"Organization/${lab!.id}"}]`,
    ]);
  });
  it('say of each specimen when and where it was taken', () => {
    const taken = new Map(of('Specimen').map((one) => [toFhirJson(one['identifier'] as FhirValue), one['collection']]));
    expect([...taken.values()]).toHaveLength(2);
    expect(taken.get(toFhirJson(named('serum')))).toMatchObject({
      collectedDateTime: '2026-10-02T08:30:00+03:00',
      bodySite: { coding: [{ code: '14975008' }] },
    });
    expect(taken.get(toFhirJson(named('urine')))).toEqual({ collectedPeriod: { start: '2026-10-01', end: '2026-10-02' } });
    expect(of('Procedure')).toEqual([]);
  });
  it('also of one without an identifier', () => {
    const { identifier: _, ...nameless } = specimen('serum', { collectedDateTime: '2026-10-02' });
    const read = thereAndBack(report, result('one', 'serum'), nameless);
    expect(only(read, 'Specimen')['collection']).toEqual({ collectedDateTime: '2026-10-02' });
  });
});

describe('a goal → CDA → FHIR', () => {
  const goal = (more: Record<string, FhirValue>): FhirResource => ({
    resourceType: 'Goal',
    id: 'goal',
    identifier: named('goal'),
    lifecycleStatus: 'on-hold',
    description: said('http://snomed.info/sct', '289169006'),
    subject: about,
    startDate: '2026-09-01',
    ...more,
  });
  it('is one, with its status, start and who set it', () => {
    const all = thereAndBack(goal({ expressedBy: { reference: 'Practitioner/d' } }));
    expect(only(all, 'Goal')).toMatchObject({
      identifier: named('goal'),
      lifecycleStatus: 'on-hold',
      description: { coding: [{ code: '289169006' }] },
      startDate: '2026-09-01',
      expressedBy: { reference: `Practitioner/${only(all, 'Practitioner').id}` },
    });
    expect(only(all, 'Goal')).not.toHaveProperty('target');
  });
  it('says what is to be measured, and between which limits', () => {
    const amount = (value: number): FhirValue => ({ value, unit: 'kg', system: 'http://unitsofmeasure.org', code: 'kg' });
    const measure = said('http://loinc.org', '29463-7');
    const read = only(thereAndBack(goal({ target: [{ measure, detailRange: { low: amount(60), high: amount(70) } }] })), 'Goal');
    expect(toFhirJson(read['target']!)).toMatch(/"code":"29463-7".*"low":\{"value":60,.*"high":\{"value":70,/);
    expect(read['description']).toMatchObject({ coding: [{ code: '289169006' }] });
  });
});

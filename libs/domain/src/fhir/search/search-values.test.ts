import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseFhirJson } from '../fhir-json.js';
import { SEARCHABLE_TYPES, searchParametersOf } from './search-parameters.js';
import type { SearchValue } from './search-value.js';
import { MAX_SEARCH_VALUES, searchValues } from './search-values.js';

const rows = (resource: object, param: string, options = {}): readonly SearchValue[] =>
  searchValues(parseFhirJson(JSON.stringify(resource), 'test'), options).filter((value) => value.param === param);
const none = { system: undefined, code: undefined, unit: undefined };
const nowhere = { kind: 'reference', type: undefined, id: undefined, url: undefined, system: undefined, code: undefined };

const patient = {
  resourceType: 'Patient',
  id: 'p1',
  meta: { lastUpdated: '2026-11-21T10:00:00.000Z' },
  active: true,
  identifier: [{ system: 'urn:oid:1.3.3.3.1', value: '49001010000' }],
  name: [{ family: 'Näidis', given: ['Mari', 'Ann'], text: 'Mari  NÄIDIS' }],
  telecom: [
    { system: 'phone', value: '+372 5550000' },
    { system: 'email', value: 'mari@naidis.example' },
  ],
  birthDate: '1990-01-01',
  deceasedBoolean: false,
};

describe('search rows of a resource', () => {
  it('id, tokens, telecom by its system, booleans', () => {
    expect(rows(patient, '_id')).toEqual([{ kind: 'token', param: '_id', system: undefined, code: 'p1' }]);
    expect(rows(patient, 'identifier')).toEqual([{ kind: 'token', param: 'identifier', system: 'urn:oid:1.3.3.3.1', code: '49001010000' }]);
    expect(rows(patient, 'phone')).toEqual([{ kind: 'token', param: 'phone', system: 'phone', code: '+372 5550000' }]);
    expect(rows(patient, 'telecom')).toHaveLength(2);
    expect(rows(patient, 'active')).toEqual([{ kind: 'token', param: 'active', system: undefined, code: 'true' }]);
    expect(rows(patient, 'deceased')).toEqual([{ kind: 'token', param: 'deceased', system: undefined, code: 'false' }]);
    expect(rows({ ...patient, deceasedBoolean: undefined, deceasedDateTime: '2020' }, 'deceased')).toMatchObject([{ code: 'true' }]);
  });

  it('names without case and accents, each part a row', () => {
    expect(rows(patient, 'name').map((v) => v.kind === 'string' && v.normal)).toEqual(['mari naidis', 'naidis', 'mari', 'ann']);
    expect(rows(patient, 'family')).toEqual([{ kind: 'string', param: 'family', text: 'Näidis', normal: 'naidis' }]);
  });

  it('dates as ranges in UTC, periods open where they are', () => {
    const encounter = { resourceType: 'Encounter', period: { start: '2024-03-01' } };
    expect(rows(patient, 'birthdate')).toMatchObject([{ start: '1990-01-01T00:00:00.000Z', end: '1990-01-02T00:00:00.000Z' }]);
    expect(rows(encounter, 'date')).toMatchObject([{ start: '2024-03-01T00:00:00.000Z', end: undefined }]);
    const timing = { event: ['2024-01-01', '2024-02-01'], repeat: { boundsPeriod: { start: '2024', end: '2024' } } };
    expect(rows({ resourceType: 'ServiceRequest', occurrenceTiming: timing }, 'occurrence')).toHaveLength(3);
  });

  it('references by type and id, by address, by identifier; contained ones are not found', () => {
    const base = 'https://node.example/fhir';
    const of = (subject: object): readonly SearchValue[] => rows({ resourceType: 'Observation', subject }, 'subject', { base });
    expect(of({ reference: 'Patient/p1' })).toEqual([{ ...nowhere, param: 'subject', type: 'Patient', id: 'p1' }]);
    expect(of({ reference: `${base}/Patient/p1/_history/3` })).toEqual([{ ...nowhere, param: 'subject', type: 'Patient', id: 'p1' }]);
    expect(of({ reference: 'https://other.example/Patient/p1' })).toMatchObject([
      { id: undefined, url: 'https://other.example/Patient/p1' },
    ]);
    expect(of({ type: 'Patient', identifier: { system: 's', value: 'v' } })).toMatchObject([{ type: 'Patient', system: 's', code: 'v' }]);
    expect(of({ reference: '#inside' })).toEqual([]);
    expect(of({ display: 'somebody' })).toEqual([]);
    expect(rows({ resourceType: 'Observation', subject: { reference: 'Group/g' } }, 'patient')).toEqual([]);
  });

  it('quantities with digits kept, comparators as open ends, ranges', () => {
    const of = (value: string): readonly SearchValue[] =>
      searchValues(parseFhirJson(`{"resourceType":"Observation","valueQuantity":${value}}`, 'test')).filter(
        (v) => v.param === 'value-quantity',
      );
    const mmol = { system: 'http://unitsofmeasure.org', code: 'mmol/L', unit: 'mmol/l' };
    expect(of('{"value":5.40,"unit":"mmol/l","system":"http://unitsofmeasure.org","code":"mmol/L"}')).toEqual([
      { kind: 'quantity', param: 'value-quantity', low: 5.4, high: 5.4, ...mmol },
    ]);
    expect(of('{"value":5,"comparator":"<"}')).toEqual([{ kind: 'quantity', param: 'value-quantity', low: undefined, high: 5, ...none }]);
    expect(of('{"unit":"mg"}')).toEqual([]);
    const range = { low: { value: 10, unit: 'a' }, high: { value: 12, unit: 'a' } };
    expect(rows({ resourceType: 'Condition', onsetRange: range }, 'onset-age')).toMatchObject([{ low: 10, high: 12, unit: 'a' }]);
  });

  it('concepts: each coding; text alone is no token', () => {
    const code = { coding: [{ system: 'http://loinc.org', code: '718-7' }, { code: 'HGB' }], text: 'Hemoglobin' };
    expect(rows({ resourceType: 'Observation', code }, 'code')).toMatchObject([
      { system: 'http://loinc.org', code: '718-7' },
      { system: undefined, code: 'HGB' },
    ]);
    expect(rows({ resourceType: 'Observation', code: { text: 'Hemoglobin' } }, 'code')).toEqual([]);
  });

  it('a type that is not searched has none, and no resource has too many', () => {
    expect(searchValues(parseFhirJson('{"resourceType":"Basic","id":"b"}', 'test'))).toEqual([]);
    const identifier = Array.from({ length: MAX_SEARCH_VALUES + 50 }, (_, i) => ({ value: String(i) }));
    expect(searchValues(parseFhirJson(JSON.stringify({ ...patient, identifier }), 'test'))).toHaveLength(MAX_SEARCH_VALUES);
  });

  it('no shape of an element makes it throw, and each row names a parameter of the type', () => {
    const wild = fc.jsonValue({ maxDepth: 4 });
    const elements = fc.dictionary(
      fc.constantFrom('name', 'identifier', 'period', 'subject', 'code', 'valueQuantity', 'component', 'meta'),
      wild,
    );
    fc.assert(
      fc.property(fc.constantFrom(...SEARCHABLE_TYPES), elements, (resourceType, body) => {
        const values = searchValues(parseFhirJson(JSON.stringify({ ...body, resourceType }), 'test'));
        const known = Object.keys(searchParametersOf(resourceType));
        expect(values.every((value) => known.includes(value.param))).toBe(true);
      }),
    );
  });
});

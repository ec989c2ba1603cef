import { DecimalText } from '@portolan/formats';
import { describe, expect, it } from 'vitest';
import { keyOf } from '../release/references.js';
import type { Json, Resource } from '../release/resource.js';
import { saysTheSame } from './says-the-same.js';

const SNOMED = 'http://snomed.info/sct';
const ATC = 'http://www.whocc.no/atc';
const UCUM = 'http://unitsofmeasure.org';
const concept = (...codings: readonly [system: string, code: string][]): Json => ({
  coding: codings.map(([system, code]) => ({ system, code })),
});
const clinical = (code: string): Json => concept(['http://terminology.hl7.org/CodeSystem/condition-clinical', code]);

const allergy = { resourceType: 'AllergyIntolerance', id: 'a', code: concept([SNOMED, '91936005']) };
const asthma = { resourceType: 'Condition', id: 'c', code: concept([SNOMED, '195967001']) };
const salbutamol = { resourceType: 'MedicationStatement', id: 'm', status: 'active', medicationCodeableConcept: concept([ATC, 'R03AC02']) };
const dose = (value: number, code = 'mg'): Json => [{ doseAndRate: [{ doseQuantity: { value, system: UCUM, code } }] }];
const glucose = {
  resourceType: 'Observation',
  id: 'o',
  status: 'final',
  code: concept(['http://loinc.org', '14749-6']),
  effectiveDateTime: '2026-10-01T08:00:00+03:00',
  valueQuantity: { value: new DecimalText('5.20'), system: UCUM, code: 'mmol/L' },
};
const vaccine = {
  resourceType: 'Immunization',
  id: 'i',
  status: 'completed',
  vaccineCode: concept([ATC, 'J07BX03']),
  occurrenceDateTime: '2021-05-04',
};
const appendectomy = {
  resourceType: 'Procedure',
  id: 'p',
  status: 'completed',
  code: concept([SNOMED, '80146002']),
  performedDateTime: '2001',
};
const pressure = (systolic: number): Resource => ({
  ...glucose,
  code: concept(['http://loinc.org', '85354-9']),
  valueQuantity: null,
  component: [{ code: concept(['http://loinc.org', '8480-6']), valueQuantity: { value: systolic, system: UCUM, code: 'mm[Hg]' } }],
});
const pacemaker: Resource = { resourceType: 'Device', id: 'd', type: concept([SNOMED, '14106009']) };
const worn = (over: object = {}): Resource => ({
  resourceType: 'DeviceUseStatement',
  id: 'u',
  status: 'active',
  device: { reference: 'Device/d' },
  ...over,
});
const medication: Resource = { resourceType: 'Medication', id: 'med', code: concept([ATC, 'R03AC02']) };
const { medicationCodeableConcept: _code, ...byReference } = salbutamol;

const record = new Map([pacemaker, medication].map((one) => [keyOf(one), one]));
const find = (reference: string): Resource | undefined => record.get(reference);
const both = (a: Resource, b: Resource): boolean => {
  const said = saysTheSame(a, b, find);
  expect(saysTheSame(b, a, find)).toBe(said);
  return said;
};

describe('two entries say the same', () => {
  it.each<[string, Resource, Resource]>([
    ['an allergy by its code, whatever the words', allergy, { ...allergy, id: 'b', note: [{ text: 'other words' }] }],
    ['by one code of several', allergy, { ...allergy, code: concept([SNOMED, '91936005'], ['urn:oid:2.999.1', 'PEN']) }],
    ['a disease, where one does not say since when', asthma, { ...asthma, onsetDateTime: '1999-05' }],
    ['one said less exactly', { ...asthma, onsetDateTime: '1999' }, { ...asthma, onsetDateTime: '1999-05-03' }],
    ['active is what an entry without a status says', asthma, { ...asthma, clinicalStatus: clinical('active') }],
    ['a relapse goes on', { ...asthma, clinicalStatus: clinical('relapse') }, { ...asthma, clinicalStatus: clinical('active') }],
    ['a medicine by reference to the record', salbutamol, { ...byReference, medicationReference: { reference: 'Medication/med' } }],
    ['a medicine that is contained', salbutamol, { ...byReference, contained: [medication], medicationReference: { reference: '#med' } }],
    ['the same dose', { ...salbutamol, dosage: dose(5) }, { ...salbutamol, dosage: dose(5) }],
    ['a dose that one does not tell', { ...salbutamol, dosage: dose(5) }, salbutamol],
    ['a result at one instant, in another offset', glucose, { ...glucose, effectiveDateTime: '2026-10-01T05:00:00Z' }],
    ['a result of a day', glucose, { ...glucose, effectiveDateTime: '2026-10-01' }],
    ['digits are no other value', glucose, { ...glucose, valueQuantity: { value: 5.2, system: UCUM, code: 'mmol/L' } }],
    ['final and corrected are both told', glucose, { ...glucose, status: 'corrected' }],
    ['a vaccination of one day', vaccine, { ...vaccine, occurrenceDateTime: '2021-05-04T10:00:00+02:00' }],
    ['a procedure of one year', appendectomy, { ...appendectomy, id: 'q' }],
    ['a device in use', worn(), worn({ id: 'v', timingDateTime: '2020' })],
    ['values of components', withoutNull(pressure(120)), withoutNull(pressure(120))],
  ])('%s', (_, a, b) => {
    expect(both(a, b)).toBe(true);
  });

  it.each<[string, Resource, Resource]>([
    ['another type', allergy, { ...allergy, resourceType: 'Condition' }],
    ['another code', allergy, { ...allergy, code: concept([SNOMED, '91934008']) }],
    ['the same code of another system', allergy, { ...allergy, code: concept(['urn:oid:2.999.1', '91936005']) }],
    ['the same words without a code', { ...allergy, code: { text: 'Penicillin' } }, { ...allergy, code: { text: 'Penicillin' } }],
    [
      'a class in common, and two products',
      { ...salbutamol, medicationCodeableConcept: concept([ATC, 'R03AC02'], ['urn:oid:2.999.2', '100']) },
      { ...salbutamol, medicationCodeableConcept: concept([ATC, 'R03AC02'], ['urn:oid:2.999.2', '200']) },
    ],
    ['a type that is not compared', { ...allergy, resourceType: 'DiagnosticReport' }, { ...allergy, resourceType: 'DiagnosticReport' }],
    ['another criticality', { ...allergy, criticality: 'low' }, { ...allergy, criticality: 'high' }],
    ['a second episode', { ...asthma, onsetDateTime: '2001' }, { ...asthma, onsetDateTime: '2015-02' }],
    ['what is over and what goes on', asthma, { ...asthma, clinicalStatus: clinical('resolved') }],
    [
      'what was refuted',
      asthma,
      { ...asthma, verificationStatus: concept(['http://terminology.hl7.org/CodeSystem/condition-ver-status', 'refuted']) },
    ],
    [
      'the other side of the body',
      { ...asthma, bodySite: [concept([SNOMED, '7771000'])] },
      { ...asthma, bodySite: [concept([SNOMED, '24028007'])] },
    ],
    ['another dose', { ...salbutamol, dosage: dose(5) }, { ...salbutamol, dosage: dose(10) }],
    ['a dose in another unit', { ...salbutamol, dosage: dose(5) }, { ...salbutamol, dosage: dose(5, 'ug') }],
    ['twice a day and once', times(1), times(2)],
    ['what is taken and what was stopped', salbutamol, { ...salbutamol, status: 'stopped' }],
    ['what is not taken', { ...salbutamol, status: 'not-taken' }, salbutamol],
    ['another value of one test at one time', glucose, { ...glucose, valueQuantity: { value: 5.3, system: UCUM, code: 'mmol/L' } }],
    ['less than a value', glucose, { ...glucose, valueQuantity: { value: 5.2, comparator: '<', system: UCUM, code: 'mmol/L' } }],
    ['a value in another unit', glucose, { ...glucose, valueQuantity: { value: 5.2, system: UCUM, code: 'mg/dL' } }],
    ['a result of another instant', glucose, { ...glucose, effectiveDateTime: '2026-10-01T09:00:00+03:00' }],
    ['a day by the clock of another place', glucose, { ...glucose, effectiveDateTime: '2026-09-30' }],
    ['results without a time', timeless(), timeless()],
    ['results without a value', valueless(), valueless()],
    ['other values of components', withoutNull(pressure(120)), withoutNull(pressure(130))],
    ['a component more', withoutNull(pressure(120)), twoComponents()],
    ['two doses of one month', { ...vaccine, occurrenceDateTime: '2021-05' }, vaccine],
    ['another lot', { ...vaccine, lotNumber: 'A1' }, { ...vaccine, lotNumber: 'B2' }],
    ['what was not done', appendectomy, { ...appendectomy, status: 'not-done' }],
    ['a year with a day in it', appendectomy, { ...appendectomy, performedDateTime: '2001-03-02' }],
    [
      'another serial number',
      worn({ contained: [{ ...pacemaker, id: 'x', serialNumber: '1' }], device: { reference: '#x' } }),
      serial('2'),
    ],
    ['what was entered in error', { ...glucose, status: 'entered-in-error' }, { ...glucose, status: 'entered-in-error' }],
  ])('not %s', (_, a, b) => {
    expect(both(a, b)).toBe(false);
  });
});

function times(frequency: number): Resource {
  return { ...salbutamol, dosage: [{ timing: { repeat: { frequency, period: 1, periodUnit: 'd' } } }] };
}

function timeless(): Resource {
  const { effectiveDateTime: _time, ...rest } = glucose;
  return rest;
}

function valueless(): Resource {
  const { valueQuantity: _value, ...rest } = glucose;
  return rest;
}

function withoutNull({ valueQuantity: _value, ...rest }: Resource): Resource {
  return rest;
}

function twoComponents(): Resource {
  const one = withoutNull(pressure(120));
  const [systolic] = one['component'] as readonly Json[];
  return { ...one, component: [systolic as Json, { code: concept(['http://loinc.org', '8462-4']), valueQuantity: { value: 80 } }] };
}

function serial(serialNumber: string): Resource {
  return worn({ contained: [{ ...pacemaker, id: 'x', serialNumber }], device: { reference: '#x' } });
}

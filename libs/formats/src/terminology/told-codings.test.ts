import { describe, expect, it } from 'vitest';
import type { Draft } from '../engine/drafts.js';
import type { FhirResource } from '../engine/fhir.js';
import { hl7Systems } from './shipped.js';
import { toldCodings } from './told-codings.js';

const HL7 = 'http://terminology.hl7.org/CodeSystem/';
const told = (resource: object): string[] =>
  toldCodings([{ resource: resource as FhirResource, marks: [], mention: false } as unknown as Draft], hl7Systems).map(
    ({ code, path }) => `${code} ${path}`,
  );

describe('codings are told by place', () => {
  it('where their system is another spelling of one that HL7 names; identifiers are left alone', () =>
    expect(
      told({
        resourceType: 'Observation',
        identifier: [{ system: 'LN', value: '1' }],
        code: {
          coding: [
            { system: 'http://loinc.org', code: '2345-7' },
            { system: 'urn:oid:2.16.840.1.113883.6.1', code: '2345-7' },
          ],
        },
        valueQuantity: { system: 'https://unitsofmeasure.org', code: 'mmol/L' },
      }),
    ).toEqual([
      'translate.system-misnamed Observation.code.coding[1].system',
      'translate.system-misnamed Observation.valueQuantity.system',
    ]));
  it('where HL7 has no such code', () =>
    expect(
      told({
        resourceType: 'Observation',
        interpretation: [
          { coding: [{ system: `${HL7}v3-ObservationInterpretation`, code: 'H' }] },
          { coding: [{ system: `${HL7}v3-ObservationInterpretation`, code: 'h' }] },
        ],
        category: [
          { coding: [{ system: `${HL7}observation-category`, code: 'laboratory' }] },
          { coding: [{ system: `${HL7}unheard-of`, code: 'x' }] },
        ],
      }),
    ).toEqual(['translate.code-unknown Observation.interpretation[1].coding[0].code']));
  it('in both, where the system is misnamed besides', () =>
    expect(
      told({ resourceType: 'Patient', maritalStatus: { coding: [{ system: 'urn:oid:2.16.840.1.113883.5.4', code: 'nil' }] } }),
    ).toEqual([
      'translate.system-misnamed Patient.maritalStatus.coding[0].system',
      'translate.code-unknown Patient.maritalStatus.coding[0].code',
    ]));
});

import { describe, expect, it } from 'vitest';
import { pathsOf } from './misnamed.js';
import { canonicalSystem, isSystemUri } from './systems.js';

describe('systems', () => {
  it.each([
    ['http://loinc.org', 'http://loinc.org'],
    ['https://loinc.org/', 'http://loinc.org'],
    ['urn:oid:2.16.840.1.113883.6.96', 'http://snomed.info/sct'],
    ['http://whocc.no/atc', 'http://www.whocc.no/atc'],
    ['urn:oid:2.999.1', undefined],
  ])('%s is %s', (system, uri) => expect(canonicalSystem(system)).toBe(uri));
  it.each([
    ['urn:oid:1.2.3', true],
    ['urn:oid:1.2.x', false],
    ['LN', false],
    ['http://a b', false],
    ['urn:portolan:demo', true],
  ])('%s is a URI: %s', (system, valid) => expect(isSystemUri(system)).toBe(valid));
  it('of a resource are told by place, of codings alone', () =>
    expect(
      pathsOf({
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
    ).toEqual(['code.coding[1]', 'valueQuantity']));
});

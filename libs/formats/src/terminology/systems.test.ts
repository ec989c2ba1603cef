import { describe, expect, it } from 'vitest';
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
});

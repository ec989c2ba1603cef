import { hasDuplicateMember, PortolanError } from '@portolan/contracts';
import { toFhirJson } from '@portolan/formats';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseFhirJson } from './fhir-json.js';

const refusal = (text: string, maxChars?: number): string => {
  try {
    parseFhirJson(text, 'body', maxChars);
  } catch (error) {
    if (error instanceof PortolanError) return `${error.code} ${error.detail ?? ''}`;
    throw error;
  }
  return 'accepted';
};

describe('FHIR JSON is read without losing a digit', () => {
  it.each(['1.50', '0.10', '100.00', '1e3', '-0.0', '12345678901234567890.123', '5', '3.5'])('%s stays %s', (digits) => {
    const text = `{"resourceType":"Observation","valueQuantity":{"value":${digits}}}`;
    expect(toFhirJson(parseFhirJson(text, 'body'))).toBe(text);
  });

  it('any decimal stays as written', () => {
    const decimal = fc.tuple(fc.integer({ min: -99999, max: 99999 }), fc.stringMatching(/^[0-9]{1,12}$/)).map(([w, f]) => `${w}.${f}`);
    fc.assert(
      fc.property(decimal, (digits) => {
        const text = `{"resourceType":"Observation","valueQuantity":{"value":${digits}}}`;
        expect(toFhirJson(parseFhirJson(text, 'body'))).toBe(text);
      }),
    );
  });
});

describe('bad JSON is refused by its kind', () => {
  it.each([
    ['', 'not JSON'],
    ['{"resourceType":"Patient"', 'not JSON'],
    ['null', 'not an object with a resourceType'],
    ['[]', 'not an object with a resourceType'],
    ['{}', 'not an object with a resourceType'],
    ['{"resourceType":7}', 'not an object with a resourceType'],
    ['{"resourceType":"../etc"}', 'not an object with a resourceType'],
    ['{"resourceType":"Patient","id":"a","id":"b"}', 'a member stands twice in one object'],
    ['{"resourceType":"Patient","gender":"male","\\u0067ender":"female"}', 'a member stands twice in one object'],
    [`{"resourceType":"Patient","x":${'['.repeat(70)}${']'.repeat(70)}}`, 'nested deeper than 64'],
  ])('%s', (text, detail) => {
    expect(refusal(text)).toBe(`fhir.json-invalid ${detail}`);
  });

  it('more characters than the limit', () => {
    expect(refusal('{"resourceType":"Patient"}', 10)).toBe('fhir.json-invalid longer than 10 characters');
  });

  it('what JSON.stringify writes never has a member twice, and one repeated is always seen', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })), (value) => {
        expect(hasDuplicateMember(JSON.stringify(value))).toBe(false);
        const key = JSON.stringify(Object.keys(value)[0] ?? 'a');
        const inner = JSON.stringify({ [JSON.parse(key) as string]: 1, ...value }).slice(1, -1);
        expect(hasDuplicateMember(`[{${inner},${key} : 2}]`)).toBe(true);
      }),
    );
  });
});

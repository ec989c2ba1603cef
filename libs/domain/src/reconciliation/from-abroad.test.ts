import { describe, expect, it } from 'vitest';
import { isFromAbroad } from './index.js';

describe('a document that retells what others know', () => {
  it.each([
    ['a FHIR document', 'fhir', '60591-5', true],
    ['another FHIR document', 'fhir', '11502-2', true],
    ['a FHIR transaction', 'fhir', 'Bundle:transaction', false],
    ['one FHIR resource', 'fhir', 'Observation', false],
    ['a patient summary in CDA', 'cda', '60591-5', true],
    ['a prescription in CDA', 'cda', '57833-6', false],
    ['a message of a hospital', 'hl7v2', 'ADT^A01', false],
  ] as const)('%s', (_, format, type, said) => {
    expect(isFromAbroad({ format, message: { type } })).toBe(said);
  });
});

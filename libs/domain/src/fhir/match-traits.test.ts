import { PortolanError } from '@portolan/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sentPatient } from './answer-bundles.js';
import { matchTraits } from './match-traits.js';

const identifier = [{ system: 'urn:x', value: '1' }];
const codeOf = (patient: object): string => {
  try {
    matchTraits({ resourceType: 'Patient', ...patient });
  } catch (error) {
    return error instanceof PortolanError ? error.code : 'unexpected';
  }
  return 'nothing';
};

describe('the traits of a person looked for', () => {
  it('are identifiers, birth date and the first name', () => {
    const patient = {
      resourceType: 'Patient',
      identifier,
      birthDate: '1971-01-01',
      name: [
        { family: 'Näidis', given: ['Mari', 'Liis'] },
        { family: 'Teine', given: [] },
      ],
    };
    expect(matchTraits(patient)).toEqual({ identifiers: identifier, birthDate: '1971-01-01', family: 'Näidis', given: 'Mari Liis' });
  });

  it('leave out identifiers without a system', () => {
    expect(matchTraits({ resourceType: 'Patient', identifier: [{ value: '2' }, ...identifier] })).toEqual({ identifiers: identifier });
  });

  it.each([
    { why: 'demographics alone', patient: { birthDate: '1971-01-01' }, code: 'request.identifier-missing' },
    { why: 'an identifier without system', patient: { identifier: [{ value: '1' }] }, code: 'request.identifier-missing' },
    { why: 'half a birth date', patient: { identifier, birthDate: '1971' }, code: 'fhir.parameter-invalid' },
    { why: 'six identifiers', patient: { identifier: Array.from({ length: 6 }, () => identifier[0]) }, code: 'fhir.parameter-invalid' },
    { why: 'a value too long', patient: { identifier: [{ system: 'urn:x', value: 'x'.repeat(129) }] }, code: 'fhir.parameter-invalid' },
    { why: 'a blank name', patient: { identifier, name: [{ family: ' ' }] }, code: 'fhir.parameter-invalid' },
    { why: 'another resource', patient: { resourceType: 'Person', identifier }, code: 'fhir.parameter-invalid' },
  ])('are refused for $why', ({ patient, code }) => {
    expect(codeOf(patient)).toBe(code);
  });

  it('come back as they were sent, and nothing besides', () => {
    const text = fc.string({ minLength: 1, maxLength: 40 }).filter((one) => one.trim() !== '');
    const traits = fc.record(
      {
        identifiers: fc.array(fc.record({ system: text, value: text }), { minLength: 1, maxLength: 5 }),
        birthDate: fc.constant('1971-01-01'),
        family: text,
        given: text,
      },
      { requiredKeys: ['identifiers'] },
    );
    fc.assert(
      fc.property(traits, (sent) => {
        expect(matchTraits(JSON.parse(sentPatient('h', sent)))).toEqual(sent);
      }),
      { numRuns: 100 },
    );
  });
});

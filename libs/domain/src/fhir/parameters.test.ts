import { PortolanError } from '@portolan/contracts';
import type { FhirObject } from '@portolan/formats';
import { describe, expect, it } from 'vitest';
import { localReference, OperationParameters } from './parameters.js';

const of = (...parameter: FhirObject[]): OperationParameters => OperationParameters.of({ resourceType: 'Parameters', parameter });
const refusal = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    if (error instanceof PortolanError) return `${error.code} ${error.where}`;
  }
  return 'nothing';
};

describe('the parameters of an operation', () => {
  it('are read by name, whatever the kind of value', () => {
    const parameters = of({ name: 'a', valueCode: 'x' }, { name: 'a', valueString: 'y' }, { name: 'n', valueInteger: 3 });
    expect(parameters.texts('a')).toEqual(['x', 'y']);
    expect(parameters.integer('n')).toBe(3);
    expect([parameters.text('z'), parameters.integer('z'), parameters.parts('z')]).toEqual([undefined, undefined, undefined]);
  });

  it('give references and resources', () => {
    const parameters = of(
      { name: 'r', valueReference: { reference: 'Patient/p-1' } },
      { name: 's', valueString: 'Observation/o' },
      { name: 'resource', resource: { resourceType: 'Basic' } },
    );
    expect(parameters.reference('r')).toEqual({ type: 'Patient', id: 'p-1' });
    expect(parameters.reference('s')).toEqual({ type: 'Observation', id: 'o' });
    expect(parameters.resource('resource').resourceType).toBe('Basic');
  });

  it('name the part that is missing', () => {
    const parts = of({ name: 'e', part: [{ name: 'id', valueId: '1' }] }).parts('e');
    expect(parts?.needed('id')).toBe('1');
    expect(refusal(() => parts?.needed('reason'))).toBe('fhir.parameter-invalid Parameters.e.reason');
  });

  it.each<{ why: string; act: () => unknown; where: string }>([
    { why: 'another resource', act: () => OperationParameters.of({ resourceType: 'Patient' }), where: 'the body' },
    { why: 'missing', act: () => of().needed('a'), where: 'Parameters.a' },
    { why: 'twice', act: () => of({ name: 'a', valueCode: 'x' }, { name: 'a', valueCode: 'y' }).text('a'), where: 'Parameters.a' },
    { why: 'no text', act: () => of({ name: 'a', valueBoolean: true }).text('a'), where: 'Parameters.a' },
    { why: 'empty', act: () => of({ name: 'a', valueString: '' }).text('a'), where: 'Parameters.a' },
    { why: 'no whole number', act: () => of({ name: 'a', valueDecimal: 1.5 }).integer('a'), where: 'Parameters.a' },
    { why: 'a negative number', act: () => of({ name: 'a', valueInteger: -1 }).integer('a'), where: 'Parameters.a' },
    {
      why: 'an absolute reference',
      act: () => of({ name: 'a', valueReference: { reference: 'https://x/Patient/1' } }).reference('a'),
      where: 'Parameters.a',
    },
    { why: 'no reference', act: () => of().reference('a'), where: 'Parameters.a' },
    { why: 'no resource', act: () => of({ name: 'a', valueCode: 'x' }).resource('a'), where: 'Parameters.a' },
  ])('refuse what is $why', ({ act, where }) => {
    expect(refusal(act)).toBe(`fhir.parameter-invalid ${where}`);
  });

  it.each(['', 'Patient', 'patient/1', 'Patient/1/2', 'Patient/a b', `Patient/${'x'.repeat(65)}`, '#p'])(
    '%s is no reference to a resource here',
    (text) => {
      expect(localReference(text)).toBeUndefined();
    },
  );
});

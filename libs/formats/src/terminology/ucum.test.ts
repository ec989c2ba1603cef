import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isUcum } from './ucum.js';

describe('a unit', () => {
  it.each([
    '1',
    '%',
    'mg',
    'ug',
    'mL',
    'ml',
    'mmol/L',
    'U/L',
    '10*9/L',
    '10^3/uL',
    'kg/m2',
    'mm[Hg]',
    'cm[H2O]',
    '/min',
    '{pack}/d',
    '[iU]/mL',
    'mL/min/{1.73_m2}',
    'ug/(kg.min)',
    'g{creat}',
    'Cel',
    '[pH]',
    'dag',
  ])('such as %s is UCUM', (unit) => expect(isUcum(unit)).toBe(true));
  it.each(['', 'mcg', '10+3/ul', 'mg/actuat', 'tablett', 'mg/', 'mg//L', '(mg', 'mg)', 'kmin', 'Stück', 'mm Hg', '{a', '0'])(
    'such as %s is none',
    (unit) => expect(isUcum(unit)).toBe(false),
  );
  it('is judged, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'mglLU/.(){}[]*^10% '.split('')) }), (text) => typeof isUcum(text) === 'boolean'),
    );
  });
});

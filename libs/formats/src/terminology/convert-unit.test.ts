import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecimalText } from '../engine/fhir.js';
import { convertUnit } from './convert-unit.js';

const converted = (value: string, from: string, to: string): string | undefined => convertUnit(new DecimalText(value), from, to)?.text;

describe('a quantity in another unit', () => {
  it.each([
    ['14.2', 'g/dL', 'g/L', '142'],
    ['14.20', 'g/dL', 'g/L', '142.0'],
    ['7.80', 'mmol/L', 'mol/L', '0.00780'],
    ['1.50', 'kg', 'g', '1.50e+3'],
    ['120', 'mm[Hg]', 'kPa', '16.0'],
    ['4.5', '10*9/L', '/uL', '4.5e+3'],
    ['98.6', '[degF]', 'Cel', '37.0'],
    ['37', 'Cel', 'K', '310'],
    ['0.0', 'g/dL', 'g/L', '0.0'],
    ['-1.5', 'mmol/L', 'umol/L', '-1.5e+3'],
    ['5', 'k[IU]/L', '[IU]/mL', '5'],
    ['3', '{cells}/L', '/L', '3'],
    ['3.10', 'g/L', 'g/L', '3.10'],
  ])('%s %s in %s is %s: as many digits as the source wrote', (value, from, to, expected) => {
    const result = converted(value, from, to);
    expect(result).toBe(expected);
  });
  it.each([
    ['of another dimension', '5', 'mg/dL', 'mmol/L'],
    ['that is none', '5', 'Stück', 'g'],
    ['that is demanded wrongly', '5', 'g', 'gramm'],
    ['on a logarithmic scale', '7.4', '[pH]', 'mol/L'],
    ['arbitrary, for another', '5', '[IU]/L', "[arb'U]/L"],
    ['with more digits than a number holds', '1.234567890123456789', 'g', 'kg'],
  ])('%s is none', (_what, value, from, to) => expect(converted(value, from, to)).toBeUndefined());
  it('there and back is what it was, as a number', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 99_999 }), fc.nat({ max: 4 }), (number, places) => {
        const text = (number / 10 ** places).toFixed(places);
        const there = convertUnit(new DecimalText(text), 'mg/dL', 'g/L');
        const back = there && convertUnit(there, 'g/L', 'mg/dL');
        expect(back?.toNumber()).toBeCloseTo(Number(text), 10);
      }),
    );
  });
});

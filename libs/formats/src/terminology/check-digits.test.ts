import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isLoincCode, isSnomedCode } from './check-digits.js';

describe('a LOINC code', () => {
  it.each(['14749-6', '2160-0', '59261-8', '60591-5', '718-7', '8867-4', '11502-2', '104605-1', 'LP14559-6', 'LA6576-8'])(
    'such as %s can be one',
    (code) => expect(isLoincCode(code)).toBe(true),
  );
  it.each(['14749-5', '2160', '2610-0', '59261-81', '', 'GLUK', '-6', '14749–6', 'LX1-1'])('such as %s cannot', (code) =>
    expect(isLoincCode(code)).toBe(false),
  );
  it('with two digits of its number exchanged is none, but for 0 and 9', () => {
    fc.assert(
      fc.property(fc.integer({ min: 10, max: 9_999_999 }), fc.nat({ max: 5 }), (number, at) => {
        const digits = String(number);
        const [a, b] = [digits[at], digits[at + 1]];
        fc.pre(a !== undefined && b !== undefined && a !== b && !['09', '90'].includes(a + b));
        const check = [...Array(10).keys()].find((digit) => isLoincCode(`${digits}-${digit}`));
        const swapped = `${digits.slice(0, at)}${b}${a}${digits.slice(at + 2)}`;
        return check !== undefined && !isLoincCode(`${swapped}-${check}`);
      }),
    );
  });
});

describe('a SNOMED CT code', () => {
  it.each(['373270004', '44054006', '716186003', '22298006', '112144000', '900000000000207008', '999480561000087100', '138875005'])(
    'such as %s can be one',
    (code) => expect(isSnomedCode(code)).toBe(true),
  );
  it.each([
    ['with a wrong check digit', '373270005'],
    ['with two digits exchanged', '733270004'],
    ['of a description', '754786011'],
    ['with a leading zero', '0373270004'],
    ['too short', '12004'],
    ['of letters', 'E11.9'],
    ['with nothing in it', ''],
  ])('%s cannot', (_what, code) => expect(isSnomedCode(code)).toBe(false));
  it('of an expression is one where each concept is', () => {
    expect(isSnomedCode('128045006 |cellulitis| : 363698007 = 56459004')).toBe(true);
    expect(isSnomedCode('71388002|2nd stage 12|:405815000=122456005')).toBe(true);
    expect(isSnomedCode('128045006:363698007=56459005')).toBe(false);
    expect(isSnomedCode('see note 22298006')).toBe(false);
  });
});

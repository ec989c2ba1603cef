import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fromBase64, provideBase64, toBase64 } from './base64-methods.js';

it('writes and reads as the standard says, in both alphabets', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.constantFrom('base64', 'base64url'), fc.boolean(), (bytes, alphabet, omitPadding) => {
      const text = toBase64.call(bytes, { alphabet, omitPadding });
      const plain = btoa(String.fromCharCode(...bytes));
      const [from, to] = alphabet === 'base64' ? [/x^/, ''] : [/[+/]/g, ''];
      expect(text.replace(/[-_]/g, '').length).toBe((omitPadding ? plain.replace(/=+$/, '') : plain).replace(from, to).length);
      expect(fromBase64(text, { alphabet })).toEqual(bytes);
    }),
  );
  expect(toBase64.call(Uint8Array.of(251, 255))).toBe('+/8=');
  expect(toBase64.call(Uint8Array.of(251, 255), { alphabet: 'base64url', omitPadding: true })).toBe('-_8');
});

it.each([
  ['a space', 'AA AA', 'base64url'],
  ['the other alphabet', 'AA+A', 'base64url'],
  ['the other alphabet', 'AA-A', 'base64'],
  ['one digit left over', 'AAAAA', 'base64url'],
  ['padding within', 'AA==AAAA', 'base64'],
  ['padding that does not fill up', 'AA=', 'base64'],
  ['padding alone', '====', 'base64'],
  ['a letter beyond ASCII', 'AAAÄ', 'base64url'],
] as const)('refuses %s', (_, text, alphabet) => expect(() => fromBase64(text, { alphabet })).toThrow(SyntaxError));

it('leaves an engine alone that has them', () => {
  const has = 'toBase64' in Uint8Array.prototype;
  if (!has) Object.defineProperty(Uint8Array.prototype, 'toBase64', { value: () => 'native', configurable: true });
  const before = Reflect.get(Uint8Array.prototype, 'toBase64') as unknown;
  provideBase64();
  expect(Reflect.get(Uint8Array.prototype, 'toBase64')).toBe(before);
  if (!has) Reflect.deleteProperty(Uint8Array.prototype, 'toBase64');
});

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { base64url, bytesOfBase64url } from './base64url.js';
import { bytesOfHex, concat, hexOf, textOf, utf8 } from './bytes.js';
import { commit } from './commitment.js';

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();

describe('base64url', () => {
  it('is what Node writes, and comes back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const text = base64url(bytes);
        expect(text).toBe(Buffer.from(bytes).toString('base64url'));
        expect(hexOf(bytesOfBase64url(text))).toBe(hexOf(bytes));
      }),
    );
  });
  it('takes large objects', () => expect(bytesOfBase64url(base64url(new Uint8Array(200_000))).length).toBe(200_000));
  it.each(['A', 'AB', 'AA=', 'AA==', 'A+8', 'A/8', 'AA\n', 'AAB', 'AA A'])('refuses %j', (text) => {
    expect(() => bytesOfBase64url(text)).toThrow('verify.encoding-malformed');
  });
});

describe('hexadecimal', () => {
  it('comes back', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(bytesOfHex(Buffer.from(bytes).toString('hex'))).toEqual(new Uint8Array(bytes));
        expect(hexOf(bytes)).toBe(Buffer.from(bytes).toString('hex'));
      }),
    );
  });
  it.each(['a', 'AA', 'zz', '0x'])('refuses %j', (text) => expect(() => bytesOfHex(text)).toThrow('verify.encoding-malformed'));
});

describe('a commitment', () => {
  const salt = new Uint8Array(32).fill(7);
  it('is SHA-256 over name, zero, salt and bytes', () => {
    const input = Buffer.concat([Buffer.from('portolan/commitment/v1\0'), salt, Buffer.from('what')]);
    expect(commit(salt, utf8('what'), sha256)).toBe(createHash('sha256').update(input).digest('hex'));
  });
  it('changes with salt and bytes', () => {
    const one = commit(salt, utf8('what'), sha256);
    expect(commit(new Uint8Array(32), utf8('what'), sha256)).not.toBe(one);
    expect(commit(salt, utf8('what '), sha256)).not.toBe(one);
  });
  it('takes no salt of another length', () => expect(() => commit(new Uint8Array(31), utf8('what'), sha256)).toThrow(RangeError));
});

it('text and bytes', () => {
  expect(textOf(concat(utf8('Näi'), utf8('dis')))).toBe('Näidis');
  expect(() => textOf(new Uint8Array([0xff]))).toThrow(TypeError);
});

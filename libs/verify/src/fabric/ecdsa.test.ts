import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import type { PublicJwk } from '@portolan/contracts';
import { expect, it } from 'vitest';
import { hexOf } from '../bytes/bytes.js';
import { rawSignature, signatureFits } from './ecdsa.js';

const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const half = order / 2n;
const hexa = (value: bigint): string => value.toString(16).padStart(64, '0');
/** DER of two integers that are given as hexadecimal bytes. */
const der = (r: string, s: string): string => {
  const body = [r, s].map((part) => `02${(part.length / 2).toString(16).padStart(2, '0')}${part}`).join('');
  return `30${(body.length / 2).toString(16).padStart(2, '0')}${body}`;
};
const raw = (digits: string): string => hexOf(rawSignature(Buffer.from(digits, 'hex')));

it.each([
  ['short integers', der('01', '7f'), 1n, 0x7fn],
  ['an integer with its leading zero', der('0080', '02'), 0x80n, 2n],
  ['integers of full length', der(`00${hexa(order - 1n)}`, hexa(half)), order - 1n, half],
])('takes %s', (_, digits, r, s) => expect(raw(digits)).toBe(`${hexa(r)}${hexa(s)}`));

it.each([
  ['nothing', ''],
  ['one byte', '30'],
  ['no sequence', der('01', '01').replace(/^30/, '31')],
  ['a byte behind', `${der('01', '01')}00`],
  ['a byte too few', der('01', '01').slice(0, -2)],
  ['a long form of the length', '308106020101020101'],
  ['a length of its own for the inside', '3007020101020101'],
  ['one integer', '3003020101'],
  ['three integers', '3009020101020101020101'],
  ['no integer first', '3006030101020101'],
  ['no integer second', '3006020101030101'],
  ['an integer that reaches out', '3006020901020101'],
  ['an empty integer', der('', '01')],
  ['zero as r', der('00', '01')],
  ['zero as s', der('01', '00')],
  ['a negative r', der('80', '01')],
  ['a negative s', der('01', 'ff')],
  ['a needless zero', der('0001', '01')],
  ['33 digits', der(`01${'00'.repeat(32)}`, '01')],
  ['a high s', der('01', hexa(half + 1n))],
  ['a very high s', der('01', `00${hexa(order - 1n)}`)],
  ['200 bytes', der('01'.repeat(96), '01')],
])('refuses %s', (_, digits) => expect(() => raw(digits)).toThrow(expect.objectContaining({ code: 'verify.ecdsa-malformed' })));

it('fits what node:crypto signed, in one of two forms', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { kty, crv, x, y } = publicKey.export({ format: 'jwk' });
  const jwk = { kty, crv, x, y } as PublicJwk;
  const { subtle } = globalThis.crypto;
  for (let i = 0; i < 64; i += 1) {
    const signed = new TextEncoder().encode(`head ${i}`);
    const { given, other } = bothForms(privateKey, signed);
    const [low, high] = given.s <= half ? [given, other] : [other, given];
    expect(await signatureFits(low.der, signed, jwk, subtle)).toBe(true);
    expect(await signatureFits(low.der, new TextEncoder().encode('another'), jwk, subtle)).toBe(false);
    await expect(signatureFits(high.der, signed, jwk, subtle)).rejects.toThrow('verify.ecdsa-malformed');
  }
  expect(await signatureFits(Buffer.from(der('01', '01'), 'hex'), new Uint8Array(1), { ...jwk, x: jwk.y }, subtle)).toBe(false);
});

interface Form {
  readonly s: bigint;
  readonly der: Uint8Array;
}

function bothForms(key: KeyObject, data: Uint8Array): { given: Form; other: Form } {
  const bytes = sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' }).toString('hex');
  const [r, s] = [bytes.slice(0, 64), bytes.slice(64)].map((part) => BigInt(`0x${part}`)) as [bigint, bigint];
  const form = (value: bigint): Form => ({ s: value, der: Buffer.from(der(integer(r), integer(value)), 'hex') });
  return { given: form(s), other: form(order - s) };
}

function integer(value: bigint): string {
  const digits = value.toString(16);
  const even = digits.padStart(digits.length + (digits.length % 2), '0');
  return parseInt(even.slice(0, 2), 16) >= 0x80 ? `00${even}` : even;
}

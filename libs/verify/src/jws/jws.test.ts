import { createHash, createPublicKey, verify, webcrypto } from 'node:crypto';
import { Validators, type PublicJwk } from '@portolan/contracts';
import { beforeAll, describe, expect, it } from 'vitest';
import { base64url } from '../bytes/base64url.js';
import { utf8 } from '../bytes/bytes.js';
import { decodeJws, parseCanonical, payloadOf, signJws, thumbprint, verifyJws } from './jws.js';

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();
const { subtle } = webcrypto;
const payload = '{"text":"Mari Näidis, synthetic"}';
let jwk: PublicJwk;
let sign: (input: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>;
let compact: string;

beforeAll(async () => {
  const pair = await subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const { kty, crv, x, y } = await subtle.exportKey('jwk', pair.publicKey);
  jwk = { kty, crv, x, y } as PublicJwk;
  sign = async (input) => new Uint8Array(await subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, pair.privateKey, input));
  compact = await signJws('transaction', thumbprint(jwk, sha256), payload, sign);
});

describe('a compact JWS', () => {
  it('keeps the exact payload, and verifies', async () => {
    const jws = await verifyJws(compact, jwk, subtle, 'transaction');
    expect(jws.payload).toBe(payload);
    expect(jws.header).toEqual({ alg: 'ES256', kid: thumbprint(jwk, sha256), typ: 'portolan-transaction+jws' });
  });
  it('is what OpenSSL verifies', () => {
    const [head, body, tail] = compact.split('.') as [string, string, string];
    const key = { key: createPublicKey({ key: { ...jwk }, format: 'jwk' }), dsaEncoding: 'ieee-p1363' as const };
    expect(verify('sha256', Buffer.from(`${head}.${body}`), key, Buffer.from(tail, 'base64url'))).toBe(true);
    expect(Buffer.from(body, 'base64url').toString()).toBe(payload);
  });
  it('names its key by the thumbprint of RFC 7638, section 3', () => {
    const members = `{"crv":"P-256","kty":"EC","x":"${jwk.x}","y":"${jwk.y}"}`;
    expect(thumbprint(jwk, sha256)).toBe(createHash('sha256').update(members).digest('base64url'));
  });
  it('is not of another kind', async () => {
    await expect(verifyJws(compact, jwk, subtle, 'block-header')).rejects.toThrow('verify.jws-malformed');
  });
  it('does not verify under another key, or under one off the curve', async () => {
    const other = { ...jwk, x: jwk.y, y: jwk.x };
    await expect(verifyJws(compact, other, subtle, 'transaction')).rejects.toThrow('verify.signature-invalid');
  });
  it('does not verify with another payload', async () => {
    const [head, , tail] = compact.split('.');
    await expect(verifyJws(`${head}.${base64url(utf8('{}'))}.${tail}`, jwk, subtle, 'transaction')).rejects.toThrow(
      'verify.signature-invalid',
    );
  });

  const header = (value: unknown): string => base64url(utf8(JSON.stringify(value)));
  const good = { alg: 'ES256', kid: 'k', typ: 'portolan-transaction+jws' };
  const signature = 'A'.repeat(86);
  it.each([
    ['two parts', 'e30.e30'],
    ['four parts', `${header(good)}.e30.${signature}.e30`],
    ['alg none', `${header({ ...good, alg: 'none' })}.e30.${signature}`],
    ['alg HS256', `${header({ ...good, alg: 'HS256' })}.e30.${signature}`],
    ['a key in the header', `${header({ ...good, jwk: {} })}.e30.${signature}`],
    ['a critical extension', `${header({ ...good, crit: ['b64'] })}.e30.${signature}`],
    ['no kid', `${header({ alg: 'ES256', typ: good.typ })}.e30.${signature}`],
    ['a header that is a list', `${header([])}.e30.${signature}`],
    ['a header that is no JSON', `${base64url(utf8('{'))}.e30.${signature}`],
    ['a header of a kilobyte', `${header({ ...good, kid: 'k'.repeat(1024) })}.e30.${signature}`],
    ['a short signature', `${header(good)}.e30.AAAA`],
    ['a payload that is no text', `${header(good)}._w.${signature}`],
    ['padding', `${header(good)}.e30=.${signature}`],
    ['spare bits', `${header(good)}.e30.${'A'.repeat(85)}B`],
    ['too long', 'A'.repeat(4_000_001)],
    ['nothing', ''],
  ])('is refused with %s', (_, text) => expect(() => decodeJws(text)).toThrow(/verify\.(jws|encoding)-malformed/));
});

describe('a payload', () => {
  const validators = new Validators();
  it.each(['{"b":1,"a":2}', '{"a": 1}', '{"a":1.0}', '{"a":1,"a":1}', '"\\ud800"', '{', '{"a":"\\u0041"}'])(
    'is canonical, which %s is not',
    (text) => {
      expect(() => parseCanonical(text, 100, 'test')).toThrow('verify.payload-malformed');
    },
  );
  it('fits its schema', async () => {
    const jws = decodeJws(await signJws('attestation', 'k', '{"v":1}', sign));
    expect(() => payloadOf(jws, 'block-attestation', validators)).toThrow('verify.payload-malformed');
  });
});

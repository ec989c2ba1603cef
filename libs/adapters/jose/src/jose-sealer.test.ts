import { PART_CONTENT_MAX_BYTES, SEALED_PART_MAX_BYTES, type OwnKey, type PartHeader, type SenderKeys } from '@portolan/domain';
import { CompactEncrypt, compactDecrypt, CompactSign, compactVerify, decodeProtectedHeader, importJWK } from 'jose';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { JoseSealer } from './jose-sealer.js';
import { MemoryVault } from './test-support.js';

const header: PartHeader = { kind: 'record', transferId: '0f8fad5b-d9cb-469f-a165-70867728950e', from: 'EE', to: 'PT', n: 1, of: 1 };
const content = new TextEncoder().encode('{"content":"é"}');
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytes = (one: string): Uint8Array => new TextEncoder().encode(one);

const [ee, pt, be] = [new MemoryVault(), new MemoryVault(), new MemoryVault()];
let eeSign: OwnKey;
let ptSeal: OwnKey;
let beSign: OwnKey;
let beSeal: OwnKey;
const senders: SenderKeys = async (country, kid) => (country === 'EE' && kid === eeSign.kid ? eeSign.publicJwk : undefined);
beforeAll(async () => {
  [eeSign, ptSeal, beSign, beSeal] = await Promise.all([ee.add('sign'), pt.add('seal'), be.add('sign'), be.add('seal')]);
});

const sealer = new JoseSealer(ee);
const opener = new JoseSealer(pt);
const seal = (one = content, padTo?: number): Promise<Uint8Array> => sealer.seal(one, header, ptSeal, padTo === undefined ? {} : { padTo });

/** What somebody else could send: a JWS of our form with these changes, in a JWE of our form with these changes. */
async function forged(changes: { jws?: object; jwe?: object; vault?: MemoryVault; kid?: string; raw?: string }): Promise<Uint8Array> {
  const vault = changes.vault ?? ee;
  const kid = (await vault.current('sign')).kid;
  const jws =
    changes.raw ??
    (await new CompactSign(content)
      .setProtectedHeader({ alg: 'ES256', kid, typ: 'portolan-part+jws', ptl: header, ...changes.jws })
      .sign(await vault.privateKey(kid)));
  const jwe = await new CompactEncrypt(bytes(jws))
    .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', kid: ptSeal.kid, cty: 'JWS', typ: 'portolan-envelope+jwe', ...changes.jwe })
    .encrypt(await importJWK({ ...ptSeal.publicJwk }, 'ECDH-ES'));
  return bytes(jwe);
}

describe('a sealed part', () => {
  it('opens to the exact bytes that were sealed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 3000 }), fc.option(fc.integer({ min: 200, max: 4000 })), async (one, padTo) => {
        const opened = await opener.open(await seal(one, padTo ?? undefined), header, senders);
        expect(opened).toEqual({ header, content: one, senderKid: eeSign.kid });
      }),
      { numRuns: 40 },
    );
  });

  it('is standard JOSE: any library opens it and sees these headers', async () => {
    const jwe = text(await seal(content, 1000));
    const { epk, ...outer } = decodeProtectedHeader(jwe);
    expect(outer).toEqual({ alg: 'ECDH-ES', enc: 'A256GCM', kid: ptSeal.kid, cty: 'JWS', typ: 'portolan-envelope+jwe' });
    expect(epk).toMatchObject({ kty: 'EC', crv: 'P-256' });
    const { plaintext } = await compactDecrypt(jwe, await pt.privateKey(ptSeal.kid));
    const { payload, protectedHeader } = await compactVerify(plaintext, await importJWK({ ...eeSign.publicJwk }, 'ES256'));
    expect(payload).toEqual(content);
    expect(protectedHeader).toEqual({
      alg: 'ES256',
      kid: eeSign.kid,
      typ: 'portolan-part+jws',
      ptl: header,
      pad: expect.stringMatching(/^0+$/),
    });
  });

  it('may be made by any other library', async () => {
    expect((await opener.open(await forged({}), header, senders)).content).toEqual(content);
  });

  it('has one length for all short contents where it is padded, and tells the content’s length where not', async () => {
    const lengths = async (padTo?: number): Promise<Set<number>> =>
      new Set(await Promise.all(Array.from({ length: 240 }, async (_, n) => (await seal(new Uint8Array(n), padTo)).length)));
    for (const padTo of [1000, 1001, 1002, 1003]) expect((await lengths(padTo)).size).toBe(1);
    expect((await lengths()).size).toBeGreaterThan(200);
  });

  it('falls into the next multiple where the content is longer than the padding', async () => {
    const length = async (n: number): Promise<number> => (await seal(new Uint8Array(n), 2000)).length;
    expect(await length(1500)).toBe(await length(1900));
    expect(await length(1500)).toBeGreaterThan(await length(10));
  });

  it('holds what the domain calls the most, and refuses more', async () => {
    const most = await seal(new Uint8Array(PART_CONTENT_MAX_BYTES));
    expect(most.length).toBeLessThanOrEqual(SEALED_PART_MAX_BYTES);
    await expect(seal(new Uint8Array(PART_CONTENT_MAX_BYTES + 40_000))).rejects.toMatchObject({ code: 'seal.too-large' });
    await expect(seal(new Uint8Array(SEALED_PART_MAX_BYTES + 1))).rejects.toMatchObject({ code: 'seal.too-large' });
    await expect(opener.open(new Uint8Array(SEALED_PART_MAX_BYTES + 1), header, senders)).rejects.toMatchObject({ code: 'seal.too-large' });
  });

  it('is not sealed to what is no key', async () => {
    const publicJwk = { ...ptSeal.publicJwk, x: ptSeal.publicJwk.y };
    await expect(sealer.seal(content, header, { kid: 'x', publicJwk })).rejects.toMatchObject({ code: 'seal.recipient-invalid' });
  });
});

describe('what does not open', () => {
  const undecryptable = { code: 'seal.undecryptable' };
  const unsigned = { code: 'seal.signature-invalid' };

  it('a part with any character altered, cut or added', async () => {
    const part = await seal();
    await fc.assert(
      fc.asyncProperty(fc.nat(part.length - 1), fc.integer({ min: 1, max: 127 }), async (i, mask) => {
        const altered = part.map((byte, at) => (at === i ? byte ^ mask : byte));
        // the last character of base64url carries bits that mean nothing
        if (decoded(altered) !== decoded(part)) await expect(opener.open(altered, header, senders)).rejects.toMatchObject(undecryptable);
        await expect(opener.open(part.slice(0, i), header, senders)).rejects.toMatchObject(undecryptable);
      }),
      { numRuns: 150 },
    );
    await expect(opener.open(bytes(`${text(part)}A`), header, senders)).rejects.toMatchObject(undecryptable);
  });

  it('a part sealed to another country, or to a key that was destroyed', async () => {
    const elsewhere = await sealer.seal(content, header, beSeal);
    await expect(opener.open(elsewhere, header, senders)).rejects.toMatchObject(undecryptable);
    await expect(new JoseSealer(new MemoryVault()).open(await seal(), header, senders)).rejects.toMatchObject(undecryptable);
  });

  it('a part signed with an unregistered key, or under the key id of another', async () => {
    await expect(opener.open(await forged({ vault: be }), header, senders)).rejects.toMatchObject(unsigned);
    await expect(opener.open(await forged({ vault: be, jws: { kid: eeSign.kid } }), header, senders)).rejects.toMatchObject(unsigned);
    const asBe: SenderKeys = async (country) => (country === 'BE' ? beSign.publicJwk : undefined);
    await expect(opener.open(await forged({ vault: be }), header, asBe)).rejects.toMatchObject(unsigned);
  });

  it('a part that brings its own key', async () => {
    const jws = { jwk: beSign.publicJwk };
    await expect(opener.open(await forged({ vault: be, jws }), header, senders)).rejects.toMatchObject(unsigned);
  });

  it.each([
    ['another transfer', { transferId: '7c9e6679-7425-40de-944b-e07fc1f90ae7' }],
    ['another kind', { kind: 'request' }],
    ['another number', { n: 2 }],
    ['another count', { of: 2 }],
    ['another recipient', { to: 'BE' }],
  ])('a part signed for %s', async (_what, change) => {
    const ptl = { ...header, ...change };
    await expect(opener.open(await forged({ jws: { ptl } }), header, senders)).rejects.toMatchObject({ code: 'seal.header-mismatch' });
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['more than the six members', { ...header, more: 1 }],
    ['numbers as text', { ...header, n: '1' }],
  ])('a part whose signed header is %s', async (_what, ptl) => {
    await expect(opener.open(await forged({ jws: { ptl } }), header, senders)).rejects.toMatchObject({ code: 'seal.header-mismatch' });
  });

  it('a part whose signature was made over another kind of text', async () => {
    await expect(opener.open(await forged({ jws: { typ: 'JWT' } }), header, senders)).rejects.toMatchObject(unsigned);
  });

  it.each([
    ['another type', { typ: 'JWE' }],
    ['another content type', { cty: 'JWT' }],
    ['key wrapping', { alg: 'ECDH-ES+A256KW' }],
    ['a weaker cipher', { enc: 'A128GCM' }],
    ['an unknown recipient', { kid: 'nobody' }],
  ])('a JWE of %s', async (_what, jwe) => {
    await expect(opener.open(await forged({ jwe }), header, senders)).rejects.toMatchObject(undecryptable);
  });

  it.each([
    ['no signature at all', 'eyJhbGciOiJub25lIn0.e30.'],
    ['a symmetric signature', 'eyJhbGciOiJIUzI1NiIsImtpZCI6IngiLCJ0eXAiOiJwb3J0b2xhbi1wYXJ0K2p3cyJ9.e30.AAAA'],
    ['plain text', 'not signed'],
    ['nothing', ''],
  ])('a JWE around %s', async (_what, raw) => {
    await expect(opener.open(await forged({ raw }), header, senders)).rejects.toMatchObject(unsigned);
  });

  it('anything made up, never but by its code', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.string().map(bytes)), async (part) => {
        await expect(opener.open(part, header, senders)).rejects.toMatchObject(undecryptable);
      }),
    );
  });

  it('while the registry cannot be read: that error goes on as it is', async () => {
    const failing: SenderKeys = () => Promise.reject(new Error('registry is away'));
    await expect(opener.open(await seal(), header, failing)).rejects.toThrow('registry is away');
  });
});

function decoded(part: Uint8Array): string {
  return text(part)
    .split('.')
    .map((one) => Buffer.from(one, 'base64url').toString('hex'))
    .join('.');
}

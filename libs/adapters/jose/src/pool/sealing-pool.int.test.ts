import type { OwnKey, PartHeader, SenderKeys } from '@portolan/domain';
import { PortolanError } from '@portolan/contracts';
import { compactDecrypt, CompactEncrypt, CompactSign, compactVerify, importJWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JoseSealer } from '../jose-sealer.js';
import { MemoryVault } from '../test-support.js';
import { SealingPool } from './sealing-pool.js';

const header: PartHeader = { kind: 'record', transferId: '0f8fad5b-d9cb-469f-a165-70867728950e', from: 'EE', to: 'PT', n: 1, of: 1 };
const contentOf = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 31) % 256);
const [ee, pt] = [new MemoryVault(), new MemoryVault()];
let eeSign: OwnKey;
let ptSeal: OwnKey;
const senders: SenderKeys = async (country, kid) => (country === 'EE' && kid === eeSign.kid ? eeSign.publicJwk : undefined);
const pool = new SealingPool({ threads: 2, aloneBelowBytes: 0 });
const [sealer, opener] = [pool.sealer(ee), pool.sealer(pt)];

beforeAll(async () => {
  [eeSign, ptSeal] = await Promise.all([ee.add('sign'), pt.add('seal')]);
});
afterAll(() => pool.close());

describe('what is sealed on a thread', () => {
  it.each([0, 1, 1024, 1_100_000])('of %i bytes opens here and there', async (length) => {
    const content = contentOf(length);
    const opened = { header, content, senderKid: eeSign.kid };
    const [pooled, alone] = [await sealer.seal(content, header, ptSeal), await new JoseSealer(ee).seal(content, header, ptSeal)];
    for (const part of [pooled, alone]) {
      expect(await opener.open(part, header, senders)).toEqual(opened);
      expect(await new JoseSealer(pt).open(part, header, senders)).toEqual(opened);
    }
  });

  it('is what plain jose opens, and opens what plain jose sealed', async () => {
    const content = contentOf(5000);
    const part = await sealer.seal(content, header, ptSeal, { padTo: 2000 });
    const { plaintext } = await compactDecrypt(part, await pt.privateKey(ptSeal.kid));
    const { payload } = await compactVerify(plaintext, await importJWK({ ...eeSign.publicJwk }, 'ES256'));
    expect(payload).toEqual(content);
    const jws = await new CompactSign(content)
      .setProtectedHeader({ alg: 'ES256', kid: eeSign.kid, typ: 'portolan-part+jws', ptl: header })
      .sign(await ee.privateKey(eeSign.kid));
    const jwe = await new CompactEncrypt(new TextEncoder().encode(jws))
      .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', kid: ptSeal.kid, cty: 'JWS', typ: 'portolan-envelope+jwe' })
      .encrypt(await importJWK({ ...ptSeal.publicJwk }, 'ECDH-ES'));
    expect((await opener.open(new TextEncoder().encode(jwe), header, senders)).content).toEqual(content);
  });

  it('is the same as what is sealed where it is asked for, because it is small', async () => {
    const both = new SealingPool({ threads: 1, aloneBelowBytes: 1000 });
    for (const length of [999, 1000]) {
      const part = await both.sealer(ee).seal(contentOf(length), header, ptSeal);
      expect((await both.sealer(pt).open(part, header, senders)).content).toEqual(contentOf(length));
    }
    await both.close();
  });

  it('comes back to who asked, many at once', async () => {
    const parts = await Promise.all(Array.from({ length: 60 }, (_, i) => sealer.seal(contentOf(i * 100), header, ptSeal)));
    const opened = await Promise.all(parts.map((part) => opener.open(part, header, senders)));
    expect(opened.map(({ content }) => content.length)).toEqual(Array.from({ length: 60 }, (_, i) => i * 100));
  });
});

describe('what fails on a thread fails with its code', () => {
  const refused = async (work: Promise<unknown>): Promise<string> => {
    const error: unknown = await work.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(PortolanError);
    return (error as PortolanError).code;
  };
  it('an altered part, an unknown sender, another header, a size, a key that is not there', async () => {
    const part = await sealer.seal(contentOf(100), header, ptSeal);
    const altered = part.slice();
    altered[part.length - 30] = altered[part.length - 30] === 65 ? 66 : 65;
    expect(await refused(opener.open(altered, header, senders))).toBe('seal.undecryptable');
    expect(await refused(opener.open(part, header, async () => undefined))).toBe('seal.signature-invalid');
    expect(await refused(opener.open(part, { ...header, n: 2 }, senders))).toBe('seal.header-mismatch');
    expect(await refused(sealer.seal(new Uint8Array(2_000_001), header, ptSeal))).toBe('seal.too-large');
    expect(await refused(pool.sealer(new MemoryVault()).seal(contentOf(1), header, ptSeal))).toBe('keys.none-live');
  });
  it('what the registry answered goes through, whatever it was', async () => {
    const part = await sealer.seal(contentOf(100), header, ptSeal);
    const down: SenderKeys = () => Promise.reject(new PortolanError('ledger.unreachable', 'registry'));
    expect(await refused(opener.open(part, header, down))).toBe('ledger.unreachable');
    const broken: SenderKeys = () => Promise.reject(new Error('a text that stays here'));
    expect(await refused(opener.open(part, header, broken))).toBe('runtime.unexpected');
  });
  it('a pool that closes gives up what it has in hand and takes nothing more', async () => {
    const closing = new SealingPool({ threads: 1, inHand: 1, aloneBelowBytes: 0 });
    const some = [1, 2, 3].map(() => refused(closing.sealer(ee).seal(contentOf(1_000_000), header, ptSeal)));
    await closing.close();
    expect(await Promise.all(some)).toEqual(Array.from({ length: 3 }, () => 'seal.thread-ended'));
    expect(await refused(closing.sealer(ee).seal(contentOf(1), header, ptSeal))).toBe('seal.thread-ended');
  });
});

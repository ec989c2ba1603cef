import { compactVerify, decodeProtectedHeader, importJWK } from 'jose';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { OwnKey } from '@portolan/domain';
import { JoseSigner } from './jose-signer.js';
import { MemoryVault } from './test-support.js';

const vault = new MemoryVault();
const signer = new JoseSigner(vault);
const invalid = { code: 'seal.signature-invalid' };
let key: OwnKey;
let other: OwnKey;
beforeAll(async () => {
  key = await vault.add('sign');
  other = await vault.add('ledger');
});

describe('JoseSigner', () => {
  it('answers with the exact text that was signed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'binary' }).filter((one) => one.isWellFormed()),
        async (payload) => {
          const jws = await signer.sign('sign', 'portolan-record+jws', payload);
          expect(await signer.verify(jws, 'portolan-record+jws', key.publicJwk)).toBe(payload);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('makes what any library verifies', async () => {
    const jws = await signer.sign('ledger', 'portolan-tx+jws', '{"a":1.50}');
    expect(decodeProtectedHeader(jws)).toEqual({ alg: 'ES256', kid: other.kid, typ: 'portolan-tx+jws' });
    const { payload } = await compactVerify(jws, await importJWK({ ...other.publicJwk }, 'ES256'));
    expect(new TextDecoder().decode(payload)).toBe('{"a":1.50}');
  });

  it('refuses another key, another type, and any altered character', async () => {
    const jws = await signer.sign('sign', 'a+jws', '{"a":1}');
    await expect(signer.verify(jws, 'a+jws', other.publicJwk)).rejects.toMatchObject(invalid);
    await expect(signer.verify(jws, 'b+jws', key.publicJwk)).rejects.toMatchObject(invalid);
    for (let i = 0; i < jws.length; i += 1) {
      const altered = `${jws.slice(0, i)}${jws[i] === 'A' ? 'B' : 'A'}${jws.slice(i + 1)}`;
      if (altered === jws || sameBytes(jws, altered)) continue;
      await expect(signer.verify(altered, 'a+jws', key.publicJwk)).rejects.toMatchObject(invalid);
    }
    await expect(signer.verify('x'.repeat(4_000_001), 'a+jws', key.publicJwk)).rejects.toMatchObject(invalid);
  });
});

/** The last character of base64url carries bits that mean nothing. */
function sameBytes(one: string, two: string): boolean {
  const decoded = (jws: string): string[] => jws.split('.').map((part) => Buffer.from(part, 'base64url').toString('hex'));
  return decoded(one).join() === decoded(two).join();
}

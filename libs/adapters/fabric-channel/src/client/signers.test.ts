import { createHash, generateKeyPairSync, sign, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { externalSigner, pemSigner, type SignDigest } from './signers.js';

const message = Buffer.from('what is signed');
const digest = createHash('sha256').update(message).digest();
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
/** Half of the order of P-256 (SEC 2, section 2.4.2): Fabric takes no signature whose s is above it. */
const half = 0x7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8n;

/** s of a DER signature. */
function sOf(der: Uint8Array): bigint {
  const r = der[3] ?? 0;
  const bytes = der.subarray(6 + r, 6 + r + (der[5 + r] ?? 0));
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
}

describe('a signer', () => {
  it.each<[string, SignDigest]>([
    ['of a key file', pemSigner(pem)],
    ['outside', externalSigner(async () => sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' }))],
  ])('%s signs a digest as Fabric takes it', async (_, signer) => {
    for (let n = 0; n < 20; n += 1) {
      const signature = await signer(digest);
      expect(verify('sha256', message, publicKey, signature)).toBe(true);
      expect(sOf(signature) <= half).toBe(true);
    }
  });

  it.each(['P-384', 'secp256k1'])('of a key of %s is refused', (namedCurve) => {
    const other = generateKeyPairSync('ec', { namedCurve }).privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
    expect(() => pemSigner(other)).toThrow(expect.objectContaining({ code: 'keys.file-invalid' }));
  });

  it('of a key of RSA is refused', () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
    expect(() => pemSigner(rsa)).toThrow(expect.objectContaining({ code: 'keys.file-invalid' }));
  });
});

import { p256 } from '@noble/curves/nist.js';
import { PortolanError } from '@portolan/contracts';
import { createPrivateKey } from 'node:crypto';

/** Signs a SHA-256 digest by the identity's key: a DER signature of ECDSA P-256, s in its lower half. */
export type SignDigest = (digest: Uint8Array) => Promise<Uint8Array>;

/** Signer from a key that gives r ‖ s over a digest, such as one in a token. */
export function externalSigner(sign: (digest: Uint8Array) => Promise<Uint8Array>): SignDigest {
  return async (digest) => {
    const signature = p256.Signature.fromBytes(await sign(digest), 'compact');
    const s = signature.hasHighS() ? p256.Point.Fn.neg(signature.s) : signature.s;
    return new p256.Signature(signature.r, s).toBytes('der');
  };
}

/** Signer from a key file: PKCS#8 or SEC 1 PEM of a P-256 key; `keys.file-invalid` where it is of another kind. */
export function pemSigner(privateKeyPem: string): SignDigest {
  const { crv, d } = createPrivateKey(privateKeyPem).export({ format: 'jwk' });
  if (crv !== 'P-256' || d === undefined) throw new PortolanError('keys.file-invalid', 'fabric identity');
  const key = Buffer.from(d, 'base64url');
  return async (digest) => p256.sign(digest, key, { format: 'der', lowS: true, prehash: false });
}

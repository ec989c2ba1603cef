import { compactDecrypt, CompactEncrypt, CompactSign, compactVerify, importJWK } from 'jose';
import type { PublicJwk } from '@portolan/contracts';
import type { OwnKey, PartHeader, PrivateKeyHandle } from '@portolan/domain';

/** The library as it comes, with its keys at hand: what JoseSealer and SealingPool are measured against. */
export interface PlainJose {
  seal(content: Uint8Array): Promise<Uint8Array>;
  /** Answers with the signed bytes. */
  open(part: Uint8Array): Promise<Uint8Array>;
}

/** Keys of one pair of countries: the sender's signing key, the receiver's sealing key. */
export interface PlainKeys {
  readonly sign: { readonly own: OwnKey; readonly key: PrivateKeyHandle };
  readonly seal: { readonly own: OwnKey; readonly key: PrivateKeyHandle };
}

/** Sealed and opened by `jose` alone, in the form of JoseSealer, without any of its checks. */
export async function plainJose(header: PartHeader, { sign, seal }: PlainKeys): Promise<PlainJose> {
  const keyOf = (jwk: PublicJwk, alg: string): ReturnType<typeof importJWK> => importJWK({ ...jwk }, alg);
  const [sealTo, signedBy] = [await keyOf(seal.own.publicJwk, 'ECDH-ES'), await keyOf(sign.own.publicJwk, 'ES256')];
  const inner = { alg: 'ES256', kid: sign.own.kid, typ: 'portolan-part+jws', ptl: { ...header } };
  const outer = { alg: 'ECDH-ES', enc: 'A256GCM', kid: seal.own.kid, cty: 'JWS', typ: 'portolan-envelope+jwe' };
  return {
    async seal(content) {
      const jws = await new CompactSign(content).setProtectedHeader(inner).sign(sign.key);
      return new TextEncoder().encode(await new CompactEncrypt(new TextEncoder().encode(jws)).setProtectedHeader(outer).encrypt(sealTo));
    },
    async open(part) {
      const { plaintext } = await compactDecrypt(part, seal.key);
      return (await compactVerify(plaintext, signedBy)).payload;
    },
  };
}

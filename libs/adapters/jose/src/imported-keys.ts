import { importJWK, type CryptoKey } from 'jose';
import type { PublicJwk } from '@portolan/contracts';

/** Public keys as WebCrypto has them, the last ones that were used: to import one takes about as long as to verify by it. */
export class ImportedKeys {
  private readonly kept = new Map<string, Promise<CryptoKey>>();

  constructor(private readonly most = 256) {}

  /** Rejects where the key is none of `alg`, every time anew. */
  async import(jwk: PublicJwk, alg: 'ES256' | 'ECDH-ES'): Promise<CryptoKey> {
    const name = `${alg} ${jwk.crv} ${jwk.x} ${jwk.y}`;
    const kept = this.kept.get(name) ?? imported(jwk, alg);
    this.kept.delete(name);
    this.kept.set(name, kept);
    const [oldest] = this.kept.keys();
    if (this.kept.size > this.most && oldest !== undefined) this.kept.delete(oldest);
    try {
      return await kept;
    } catch (error) {
      this.kept.delete(name);
      throw error;
    }
  }
}

async function imported(jwk: PublicJwk, alg: string): Promise<CryptoKey> {
  const key = await importJWK({ ...jwk }, alg);
  if (key instanceof Uint8Array) throw new TypeError('not a public key');
  return key;
}

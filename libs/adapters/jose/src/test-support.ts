import { createHash, webcrypto } from 'node:crypto';
import { PortolanError, type Kid, type PublicJwk } from '@portolan/contracts';
import { Clock, jwkThumbprint, KeyVault, type KeyUse, type OwnKey, type PrivateKeyHandle } from '@portolan/domain';

/** A vault whose keys live as long as the test. */
export class MemoryVault extends KeyVault {
  private readonly keys: { own: OwnKey; handle: PrivateKeyHandle }[] = [];

  async add(use: KeyUse): Promise<OwnKey> {
    const [name, usages]: [string, ('sign' | 'deriveBits')[]] = use === 'seal' ? ['ECDH', ['deriveBits']] : ['ECDSA', ['sign']];
    const pair = await webcrypto.subtle.generateKey({ name, namedCurve: 'P-256' }, false, usages);
    const { kty, crv, x, y } = (await webcrypto.subtle.exportKey('jwk', pair.publicKey)) as PublicJwk;
    const publicJwk = { kty, crv, x, y };
    const kid = jwkThumbprint(publicJwk, (bytes) => new Uint8Array(createHash('sha256').update(bytes).digest()));
    const own = { kid, use, publicJwk, notBefore: '2026-01-01T00:00:00.000Z', notAfter: '2027-01-01T00:00:00.000Z' };
    this.keys.unshift({ own, handle: pair.privateKey });
    return own;
  }

  async current(use: KeyUse): Promise<OwnKey> {
    const [own] = await this.list(use);
    if (own === undefined) throw new PortolanError('keys.none-live', use);
    return own;
  }

  async list(use: KeyUse): Promise<readonly OwnKey[]> {
    return this.keys.map(({ own }) => own).filter((own) => own.use === use);
  }

  async privateKey(kid: Kid): Promise<PrivateKeyHandle> {
    const key = this.keys.find(({ own }) => own.kid === kid);
    if (key === undefined) throw new PortolanError('keys.unknown', kid);
    return key.handle;
  }
}

/** A clock that stands until it is set. */
export class SetClock extends Clock {
  constructor(public at: number) {
    super();
  }

  now(): number {
    return this.at;
  }
}

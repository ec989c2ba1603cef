import { PortolanError, type CompactJws, type PublicJwk } from '@portolan/contracts';
import { Signer, type KeyVault } from '@portolan/domain';
import { ImportedKeys } from './imported-keys.js';
import { signCompact, verifyCompact } from './jws.js';

const MAX_JWS_CHARS = 4_000_000;

/** Signs records with the role's keys: compact JWS, protected header `{alg: ES256, kid, typ}`, payload = the text's UTF-8 bytes. */
export class JoseSigner extends Signer {
  private readonly keys = new ImportedKeys();

  constructor(private readonly vault: KeyVault) {
    super();
  }

  async sign(use: 'sign' | 'ledger', typ: string, payload: string): Promise<CompactJws> {
    const { kid } = await this.vault.current(use);
    return signCompact(new TextEncoder().encode(payload), { kid, typ }, await this.vault.privateKey(kid));
  }

  async verify(jws: CompactJws, typ: string, key: PublicJwk): Promise<string> {
    if (jws.length > MAX_JWS_CHARS) throw new PortolanError('seal.signature-invalid', typ, 'too long');
    const { header, payload } = await verifyCompact(jws, typ, () => Promise.resolve(key), this.keys);
    if (header['typ'] !== typ) throw new PortolanError('seal.signature-invalid', typ, 'signed as something else');
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload);
    } catch {
      throw new PortolanError('seal.signature-invalid', typ, 'not UTF-8');
    }
  }
}

import { PortolanError, type CompactJws, type PublicJwk } from '@portolan/contracts';
import { Signer, type KeyVault, type SigningKeys } from '@portolan/domain';
import { base64url } from 'jose';
import { ImportedKeys } from './imported-keys.js';
import { SIGNATURE, signCompact, verifyCompact } from './jws.js';

const MAX_JWS_CHARS = 4_000_000;

/** Verifies records; whoever signs them is told apart below. */
abstract class JoseRecords extends Signer {
  private readonly imported = new ImportedKeys();

  async verify(jws: CompactJws, typ: string, key: PublicJwk): Promise<string> {
    if (jws.length > MAX_JWS_CHARS) throw new PortolanError('seal.signature-invalid', typ, 'too long');
    const { header, payload } = await verifyCompact(jws, typ, () => Promise.resolve(key), this.imported);
    if (header['typ'] !== typ) throw new PortolanError('seal.signature-invalid', typ, 'signed as something else');
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload);
    } catch {
      throw new PortolanError('seal.signature-invalid', typ, 'not UTF-8');
    }
  }
}

/** Signs records with the role's keys: compact JWS, protected header `{alg: ES256, kid, typ}`, payload = the text's UTF-8 bytes. */
export class JoseSigner extends JoseRecords {
  constructor(private readonly vault: KeyVault) {
    super();
  }

  async sign(use: 'sign' | 'ledger', typ: string, payload: string): Promise<CompactJws> {
    const { kid } = await this.vault.current(use);
    return signCompact(new TextEncoder().encode(payload), { kid, typ }, await this.vault.privateKey(kid));
  }
}

/** The same with keys that sign where they lie, such as those in a token: jose takes no such key, so the parts are put together here (RFC 7515, section 5.1). */
export class ExternalKeySigner extends JoseRecords {
  constructor(private readonly keys: SigningKeys) {
    super();
  }

  async sign(use: 'sign' | 'ledger', typ: string, payload: string): Promise<CompactJws> {
    const { kid } = await this.keys.current(use);
    const header = JSON.stringify({ alg: SIGNATURE, kid, typ });
    const input = `${base64url.encode(header)}.${base64url.encode(payload)}`;
    return `${input}.${base64url.encode(await this.keys.sign(kid, new TextEncoder().encode(input)))}`;
  }
}

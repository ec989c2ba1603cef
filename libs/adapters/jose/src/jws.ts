import { CompactSign, compactVerify, errors, type CompactJWSHeaderParameters } from 'jose';
import { PortolanError, type PublicJwk } from '@portolan/contracts';
import type { PrivateKeyHandle } from '@portolan/domain';
import type { ImportedKeys } from './imported-keys.js';

/** The one signature algorithm of envelopes and records: ECDSA P-256 with SHA-256 (RFC 7518, section 3.4). */
export const SIGNATURE = 'ES256';

export interface VerifiedJws {
  readonly header: Readonly<Record<string, unknown>>;
  readonly payload: Uint8Array;
}

/** Compact JWS over exactly `payload`. */
export async function signCompact(
  payload: Uint8Array,
  header: Omit<CompactJWSHeaderParameters, 'alg'>,
  key: PrivateKeyHandle,
): Promise<string> {
  return new CompactSign(payload).setProtectedHeader({ alg: SIGNATURE, ...header }).sign(key);
}

/** Throws `seal.signature-invalid`; `findKey` gets the header, still unverified, and answers with the key to verify under. */
export async function verifyCompact(
  jws: string | Uint8Array,
  where: string,
  findKey: (header: CompactJWSHeaderParameters) => Promise<PublicJwk | undefined>,
  keys: ImportedKeys,
): Promise<VerifiedJws> {
  try {
    const { payload, protectedHeader } = await compactVerify(
      jws,
      async (header) => {
        const key = await findKey(header);
        if (key === undefined) throw new PortolanError('seal.signature-invalid', where, 'unknown or ended key');
        return keys.import(key, SIGNATURE);
      },
      { algorithms: [SIGNATURE] },
    );
    return { header: protectedHeader, payload };
  } catch (error) {
    throw coded(error, 'seal.signature-invalid', where);
  }
}

/**
 * An error of jose as one of ours. Its code may pass, its message and its own fields may not: they can quote what was signed. What
 * others threw (the registry could not be read) goes on as it is.
 */
export function coded(error: unknown, code: 'seal.signature-invalid' | 'seal.undecryptable', where: string): unknown {
  if (error instanceof errors.JOSEError) return new PortolanError(code, where, error.code);
  return error instanceof TypeError || error instanceof DOMException ? new PortolanError(code, where, error.name) : error;
}

import type { Validators } from '@portolan/contracts';
import type { Sha256, SubtleVerifier } from '@portolan/verify';
import { createHash, webcrypto } from 'node:crypto';

/** What every check of this package needs; made once and handed on. */
export interface ChainTools {
  readonly validators: Validators;
  readonly sha256: Sha256;
  readonly subtle: SubtleVerifier;
}

export const sha256: Sha256 = (bytes) => createHash('sha256').update(bytes).digest();

export function nodeTools(validators: Validators): ChainTools {
  return { validators, sha256, subtle: webcrypto.subtle };
}

import type { PermitOpening, PermitRecord, Validators } from '@portolan/contracts';
import { bytesOfBase64url } from '../bytes/base64url.js';
import { utf8, type Sha256 } from '../bytes/bytes.js';
import { commit } from '../bytes/commitment.js';
import { parseCanonical } from '../jws/jws.js';

/** The opening that an exact text holds; `verify.payload-malformed` where it is not canonical or not one. */
export function readPermitOpening(text: string, validators: Validators): PermitOpening {
  return validators.check('permit-opening', parseCanonical(text, 16_384, 'permit-opening'), 'verify.payload-malformed', 'permit-opening');
}

/** The commitment of a permit: over the opening's exact text, under the salt that stands in it. */
export function permitCommitment(text: string, salt: string, sha256: Sha256): string {
  return commit(bytesOfBase64url(salt), utf8(text), sha256);
}

/**
 * Whether an opening is the one that a permit on the channel was made over: commitment first, then every field that both
 * name. Undefined where it fits, else the name of the first field that does not.
 */
export function openingMismatch(text: string, permit: PermitRecord, validators: Validators, sha256: Sha256): string | undefined {
  const opening = readPermitOpening(text, validators);
  if (permitCommitment(text, opening.salt, sha256) !== permit.commitment) return 'commitment';
  if (opening.permitId !== permit.id) return 'permitId';
  return (['custodian', 'recipient', 'purpose', 'until'] as const).find((field) => opening[field] !== permit[field]);
}

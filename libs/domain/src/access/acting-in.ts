import { PortolanError } from '@portolan/contracts';
import type { AccessTokens, ActingProfessional, ProfessionalAssertions } from './token.port.js';

/** Proof that a call came from whom the edge says: the exchange verifies it again, so that a stolen edge can do nothing in a name. */
export interface CallEvidence {
  /** The bearer token of the call (RFC 9068). */
  readonly accessToken: string;
  /** The calling system's statement of the acting professional (IHE IUA); absent where a person acts for herself. */
  readonly assertion?: string;
}

interface Verifiers {
  readonly tokens: AccessTokens;
  readonly professionals: ProfessionalAssertions;
}

/**
 * Who acts, as `evidence` proves it. Throws what `AccessTokens` and `ProfessionalAssertions` throw, `access.token-missing` without
 * evidence, `access.not-allowed` where the token is neither a system's nor a clinician's, `access.professional-missing`.
 */
export async function actingIn(evidence: CallEvidence | undefined, verifiers: Verifiers, where: string): Promise<ActingProfessional> {
  // What the edge sends is not believed to fit its type, and an outbox may still hold a command of the version before.
  if (typeof evidence?.accessToken !== 'string') throw new PortolanError('access.token-missing', where);
  const principal = await verifiers.tokens.verify(evidence.accessToken);
  if (principal.kind !== 'system' && principal.kind !== 'clinician-app') throw new PortolanError('access.not-allowed', where);
  const { assertion } = evidence;
  const acting = assertion === undefined ? principal.acting : await verifiers.professionals.verify(assertion, principal);
  if (acting === undefined) throw new PortolanError('access.professional-missing', where);
  return acting;
}

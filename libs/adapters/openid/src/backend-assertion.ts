import { errors } from 'oidc-provider';

/** SMART App Launch 2.2, "Authenticating to the token endpoint": `exp` is at most five minutes in the future. */
export const MAX_ASSERTION_SECONDS = 300;

/** Signature algorithms of client assertions: ES384 and RS384 are SMART's, ES256 is what the rest of this project uses. */
export const ASSERTION_ALGORITHMS = ['ES256', 'ES384', 'RS384'] as const;

/** What SMART Backend Services asks of a client assertion beyond RFC 7523. Throws `invalid_client`. */
export function checkBackendAssertion(
  claims: Readonly<Record<string, unknown>>,
  header: Readonly<Record<string, unknown>>,
  expected: { readonly tokenEndpoint: string; readonly nowSeconds: number; readonly clockToleranceSeconds: number },
): void {
  const { exp, aud, iss, sub } = claims;
  const latest = expected.nowSeconds + MAX_ASSERTION_SECONDS + expected.clockToleranceSeconds;
  if (typeof exp !== 'number' || exp > latest) throw refused('exp is more than five minutes away');
  if (aud !== expected.tokenEndpoint) throw refused('aud is not the token endpoint');
  if (iss !== sub) throw refused('iss and sub differ');
  if (typeof header['kid'] !== 'string') throw refused('the header has no kid');
}

function refused(why: string): Error {
  return new errors.InvalidClientAuth(why);
}

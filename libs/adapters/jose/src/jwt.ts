import { errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import { PortolanError, type ErrorCode } from '@portolan/contracts';

/** Asymmetric only: whoever can verify must not be able to issue. SMART names ES384 and RS384, RFC 9068 RS256. */
export const TOKEN_ALGORITHMS: readonly string[] = ['ES256', 'ES384', 'RS256', 'RS384', 'PS256', 'PS384', 'EdDSA'];
export const MAX_TOKEN_CHARS = 16_384;
/** How far two clocks may be apart, seconds. */
export const LEEWAY_S = 5;

export interface JwtExpectation {
  readonly keys: JWTVerifyGetKey;
  readonly issuer: string;
  readonly audience: string | readonly string[];
  readonly types: readonly string[];
  readonly requiredClaims: readonly string[];
  readonly algorithms: readonly string[];
  readonly nowMs: number;
  /** The codes of this kind of token. */
  readonly codes: { readonly invalid: ErrorCode; readonly expired: ErrorCode };
}

/** Claims of a JWT (RFC 7519) that is all that is expected of it. Throws the given codes and `access.keys-unreachable`. */
export async function verifyJwt(token: string, expected: JwtExpectation): Promise<JWTPayload> {
  if (token.length > MAX_TOKEN_CHARS) throw new PortolanError(expected.codes.invalid, 'token', 'too long');
  try {
    const { payload, protectedHeader } = await jwtVerify(token, expected.keys, {
      issuer: expected.issuer,
      audience: [...[expected.audience].flat()],
      algorithms: [...expected.algorithms],
      requiredClaims: [...expected.requiredClaims],
      clockTolerance: LEEWAY_S,
      currentDate: new Date(expected.nowMs),
    });
    const type = (protectedHeader.typ ?? '').toLowerCase().replace(/^application\//, '');
    if (!expected.types.includes(type)) throw new PortolanError(expected.codes.invalid, 'token', 'typ');
    if ((payload.iat ?? 0) > expected.nowMs / 1000 + LEEWAY_S) throw new PortolanError(expected.codes.expired, 'token', 'iat');
    return payload;
  } catch (error) {
    throw coded(error, expected.codes);
  }
}

/** jose's errors carry the claims, so they go no further: only their code and the name of the claim do. */
function coded(error: unknown, codes: JwtExpectation['codes']): PortolanError {
  if (error instanceof PortolanError) return error;
  if (error instanceof errors.JWTExpired) return new PortolanError(codes.expired, 'token', 'exp');
  if (error instanceof errors.JWTClaimValidationFailed) {
    const early = error.claim === 'nbf' && error.reason === 'check_failed';
    return new PortolanError(early ? codes.expired : codes.invalid, 'token', error.claim);
  }
  if (isOfTheToken(error)) return new PortolanError(codes.invalid, 'token', error.code);
  return new PortolanError('access.keys-unreachable', 'key set', error instanceof errors.JOSEError ? error.code : undefined);
}

/** What is wrong with the token itself; all else went wrong while its issuer's keys were looked for. */
function isOfTheToken(error: unknown): error is errors.JOSEError {
  return [
    errors.JWTInvalid,
    errors.JWSInvalid,
    errors.JWSSignatureVerificationFailed,
    errors.JOSEAlgNotAllowed,
    errors.JOSENotSupported,
    errors.JWKSNoMatchingKey,
    errors.JWKSMultipleMatchingKeys,
  ].some((kind) => error instanceof kind);
}

/** `iss` of a token that is not verified yet: only to choose whose keys to verify it under. */
export function claimedIssuer(token: string): string | undefined {
  const [, payload = ''] = token.length > MAX_TOKEN_CHARS ? [] : token.split('.');
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    const iss = typeof claims === 'object' && claims !== null && 'iss' in claims ? claims.iss : undefined;
    return typeof iss === 'string' ? iss : undefined;
  } catch {
    return undefined;
  }
}

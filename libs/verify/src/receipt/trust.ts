import { parseBounded, type Instant, type PublicJwk, type TrustedKey, type TrustFile, type Validators } from '@portolan/contracts';
import { demand } from './report.js';

/** Reads a pinned trust file; `verify.payload-malformed` where it is not one. */
export function parseTrust(text: string, validators: Validators): TrustFile {
  const value = parseBounded(text, 4_000_000, 'verify.payload-malformed', 'trust-file');
  return validators.check('trust-file', value, 'verify.payload-malformed', 'trust-file');
}

/** A pinned key of an organisation, as it was valid at a time; ended keys still verify what they signed before. */
export function trustedKey(trust: TrustFile, org: string, kid: string, use: TrustedKey['use'], at: Instant): PublicJwk {
  const keys = trust.participants.find((participant) => participant.org === org)?.keys ?? [];
  const key = keys.find((one) => one.kid === kid && one.use === use);
  demand(key !== undefined, `no pinned ${use} key of ${org} has this id`);
  demand(validAt(key, at), `the ${use} key of ${org} was not valid then`);
  return key.jwk;
}

/** Every pinned key of an organisation for one use that was valid at a time, for signatures that name no key. */
export function trustedKeys(trust: TrustFile, org: string, use: TrustedKey['use'], at: Instant): PublicJwk[] {
  const keys = trust.participants.find((participant) => participant.org === org)?.keys ?? [];
  return keys.filter((key) => key.use === use && validAt(key, at)).map(({ jwk }) => jwk);
}

/** Whether a pinned key or certificate was valid at a time: from its beginning, up to its end or until it was ended. */
export function validAt({ notBefore, notAfter, ended }: Pick<TrustedKey, 'notBefore' | 'notAfter' | 'ended'>, at: Instant): boolean {
  return notBefore <= at && at < notAfter && (ended === undefined || at < ended);
}

/** The countries whose word counts; regulators read and order, they do not attest. */
export function pinnedCountries(trust: TrustFile): string[] {
  return trust.participants.filter(({ kind }) => kind === 'country').map(({ org }) => org);
}

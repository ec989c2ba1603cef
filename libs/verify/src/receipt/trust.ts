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
  demand(
    key.notBefore <= at && at < key.notAfter && (key.ended === undefined || at < key.ended),
    `the ${use} key of ${org} was not valid then`,
  );
  return key.jwk;
}

/** The countries whose word counts; regulators read and order, they do not attest. */
export function pinnedCountries(trust: TrustFile): string[] {
  return trust.participants.filter(({ kind }) => kind === 'country').map(({ org }) => org);
}

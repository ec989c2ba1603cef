import { PortolanError, type CountryCode, type Instant, type Policy } from '@portolan/contracts';
import type { ActingProfessional } from '../access/token.port.js';
import { instant } from '../kernel/machine.port.js';

const HOUR_MS = 3_600_000;
/** Longest emergency: the channel's own term (libs/ledger-rules, emergency). */
export const EMERGENCY_TERM_MS = 72 * HOUR_MS;

/** What a declaration is judged by. */
export interface DeclarationFacts {
  readonly country: CountryCode;
  readonly until: Instant;
  readonly acting: ActingProfessional;
  readonly partners: readonly CountryCode[];
  readonly policy: Pick<Policy, 'emergencyReviewHours'>;
  readonly now: number;
}

/**
 * When the review of an emergency falls due that may be declared. Throws `request.purpose-not-stated` where the professional does not act
 * for emergency treatment, `exchange.partner-unknown`, and `ledger.emergency-term` where the end has passed or lies too far ahead.
 */
export function declarable({ country, until, acting, partners, policy, now }: DeclarationFacts): { readonly reviewDue: Instant } {
  if (!acting.purposes.includes('ETREAT')) throw new PortolanError('request.purpose-not-stated', 'purpose_of_use', 'ETREAT');
  if (!partners.includes(country)) throw new PortolanError('exchange.partner-unknown', 'country');
  const end = Date.parse(until);
  if (!(end > now && end <= now + EMERGENCY_TERM_MS)) throw new PortolanError('ledger.emergency-term', 'until');
  return { reviewDue: instant(end + policy.emergencyReviewHours * HOUR_MS) };
}

import type { Instant, RequestEmergency, Uuid } from '@portolan/contracts';
import type { EmergencyStanding } from '../channel/channel.port.js';
import { EMERGENCY_TERM_MS } from './declaration.decide.js';

/** What is known of the emergency that a request names. */
export interface NamedEmergency {
  readonly named: RequestEmergency | undefined;
  /** On our own copy of the channel, declared by the asker for the two countries. */
  readonly standing: EmergencyStanding;
  /** Our notary has lost the channel. */
  readonly channelDown: boolean;
  readonly now: number;
  /** How long the request has been here, milliseconds. */
  readonly waited: number;
}

/** An emergency under which something may be released now. */
export interface HoldingEmergency {
  readonly id: Uuid;
  readonly declared: Instant;
  readonly until: Instant;
  /** The channel cannot be reached, so what is done now is anchored afterwards. */
  readonly late: boolean;
}

/** Our copy may lag behind the asker's, or the channel may just have been lost: so long an emergency is waited for that it does not show. */
export const EMERGENCY_WAIT_MS = 8_000;
/** How far its declarer's clock may be ahead of ours: the channel's own term (libs/ledger-rules, emergency). */
const SKEW_MS = 120_000;

/**
 * Whether the emergency holds that a request names: as it stands on our own copy; where the channel cannot be reached, by the asker's
 * signed word, within the terms that the channel will ask for (design, invariant 1, the exception).
 */
export function holdingEmergency(facts: NamedEmergency): HoldingEmergency | 'wait' | undefined {
  const { named, standing, channelDown: late, now } = facts;
  if (named === undefined || standing.is === 'over') return undefined;
  if (standing.is === 'stands') return { id: named.id, declared: standing.declared, until: standing.until, late };
  if (!late) return facts.waited < EMERGENCY_WAIT_MS ? 'wait' : undefined;
  return withinTerms(named, now) ? { id: named.id, declared: named.declared, until: named.until, late } : undefined;
}

function withinTerms(named: RequestEmergency, now: number): boolean {
  const [declared, until] = [Date.parse(named.declared), Date.parse(named.until)];
  return declared <= now + SKEW_MS && now < until && until - declared <= EMERGENCY_TERM_MS;
}

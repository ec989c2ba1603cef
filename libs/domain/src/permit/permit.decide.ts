import type { ConsentContent, DataCategory, ExchangeRequest, Ground, Policy, PolicyRule, RestrictionContent } from '@portolan/contracts';
import type { HoldingEmergency } from '../emergency/holding-emergency.js';
import type { Person } from '../store/edge-tx.port.js';
import { consentCounts, consentEnds, hasReached } from './own-word.decide.js';

/**
 * Why nothing is released. Person, custodian and regulator see it; the asker abroad sees the one negative answer (design, invariant 8).
 */
export type DenialReason =
  | 'unknown-person'
  | 'several-matches'
  | 'no-data'
  | 'restricted'
  | 'opted-out'
  | 'no-ground'
  | 'withdrawn'
  | 'suspended'
  | 'request-stale'
  | 'emergency-not-declared';

/** What is known when the custodian decides: all of it gathered, none of it asked for while deciding. */
export interface PermitFacts {
  readonly request: ExchangeRequest;
  readonly now: number;
  readonly policy: Policy;
  /** Traits a request must bear before anybody is looked up (country folder). */
  readonly demandedTraits: readonly ('birthDate' | 'family' | 'given')[];
  /** Live persons who fit every trait sent. */
  readonly candidates: readonly Person[];
  readonly consents: readonly { state: 'live' | 'withdrawn' | 'replaced'; content: ConsentContent }[];
  readonly restrictions: readonly RestrictionContent[];
  /** Categories of which the person has anything here. */
  readonly present: readonly DataCategory[];
  /** A suspension stops releases between the two countries. */
  readonly suspended: boolean;
  /** The emergency named in the request, where it holds. */
  readonly emergency: HoldingEmergency | undefined;
}

export interface Grant {
  readonly kind: 'grant';
  readonly person: Person;
  readonly rule: PolicyRule;
  readonly ground: Ground;
  readonly categories: readonly DataCategory[];
  readonly since: string | undefined;
  /** Epoch milliseconds: end of the permit, and until when the record may be opened. */
  readonly until: number;
  readonly limit: number;
  readonly consent: { id: string; version: number } | undefined;
  readonly duties: readonly string[];
  /** The emergency in which this is granted while the channel cannot be reached: what follows does not wait for its anchor. */
  readonly late: HoldingEmergency | undefined;
}

export interface Denial {
  readonly kind: 'denial';
  readonly reason: DenialReason;
  /** Known only where exactly one person fitted; she sees the refusal in her feed. */
  readonly person: Person | undefined;
}

const HOUR_MS = 3_600_000;
/** The only purpose for which the channel takes a late permit. */
const LATE_PURPOSE = 'ETREAT';

/** Decides one request. Pure; no rule that matches means deny. */
export function decidePermit(facts: PermitFacts): Grant | Denial {
  const person = certainPerson(facts);
  if (typeof person === 'string') return { kind: 'denial', reason: person, person: undefined };
  const barred = standingBar(facts);
  if (barred !== undefined) return { kind: 'denial', reason: barred, person };
  const attempts = rulesInOrder(facts).map((rule) => attempt(rule, facts, person));
  const grant = attempts.find((one): one is Grant => typeof one !== 'string');
  if (grant !== undefined) return grant;
  return { kind: 'denial', reason: weightiest(attempts.filter((one): one is DenialReason => typeof one === 'string')), person };
}

/** The policy's own order; while the channel cannot be reached, rules of an emergency come first, since every other one waits for it. */
function rulesInOrder({ policy, request, emergency }: PermitFacts): PolicyRule[] {
  const rules = policy.rules.filter((rule) => rule.purposes.includes(request.purpose));
  if (emergency?.late !== true) return rules;
  return [...rules.filter((rule) => rule.emergency === true), ...rules.filter((rule) => rule.emergency !== true)];
}

/** One person or none, never on demographics alone (design, section 4): identifiers are required by the contract, traits by the country. */
function certainPerson(facts: PermitFacts): Person | 'unknown-person' | 'several-matches' {
  const sent = facts.request.traits;
  if (facts.demandedTraits.some((trait) => sent[trait] === undefined)) return 'unknown-person';
  const [only, ...others] = facts.candidates;
  if (only === undefined) return 'unknown-person';
  return others.length > 0 ? 'several-matches' : only;
}

function standingBar(facts: PermitFacts): DenialReason | undefined {
  if (facts.suspended) return 'suspended';
  if (Date.parse(facts.request.limit) <= facts.now) return 'request-stale';
  return undefined;
}

function attempt(rule: PolicyRule, facts: PermitFacts, person: Person): Grant | DenialReason {
  const barred = ruleBar(rule, facts, person);
  if (barred !== undefined) return barred;
  const consent = rule.consent === 'required' ? liveConsent(facts, person) : undefined;
  if (rule.consent === 'required' && consent === undefined)
    return facts.consents.some((c) => c.state === 'withdrawn') ? 'withdrawn' : 'no-ground';
  const allowed = allowedCategories(rule, facts, consent);
  const present = allowed.filter((category) => facts.present.includes(category));
  if (present.length > 0) return grantOf(rule, facts, person, consent, present);
  if (allowed.length > 0) return 'no-data';
  return categoriesBlocked(rule, facts) ? 'restricted' : 'no-ground';
}

function ruleBar(rule: PolicyRule, facts: PermitFacts, { birthDate }: Person): DenialReason | undefined {
  if (rule.minimumAge !== undefined && hasReached(birthDate, rule.minimumAge, facts.now) !== true) return 'no-ground';
  if (rule.emergency === true && facts.emergency === undefined) return 'emergency-not-declared';
  const optedOut = facts.restrictions.some((r) => r.kind === 'opt-out' && touches(r, facts.request));
  return rule.blockedBy.includes('opt-out') && optedOut ? 'opted-out' : undefined;
}

function grantOf(
  rule: PolicyRule,
  facts: PermitFacts,
  person: Person,
  consent: ConsentContent | undefined,
  categories: readonly DataCategory[],
): Grant {
  const emergency = rule.emergency === true ? facts.emergency : undefined;
  const ends = [
    facts.now + rule.permitHours * HOUR_MS,
    ...(consent === undefined
      ? []
      : [Date.parse(consent.until), consentEnds(consent, { birthDate: person.birthDate, policy: facts.policy })]),
    ...(emergency === undefined ? [] : [Date.parse(emergency.until)]),
  ];
  const until = Math.min(...ends);
  return {
    kind: 'grant',
    person,
    rule,
    ground: rule.ground,
    categories,
    since: laterDate(facts.request.since, consent?.since),
    until,
    limit: Math.min(until, Date.parse(facts.request.limit), facts.now + facts.policy.openWithinMinutes * 60_000),
    consent: consent === undefined ? undefined : { id: consent.id, version: consent.version },
    duties: rule.duties,
    late: emergency?.late === true && facts.request.purpose === LATE_PURPOSE ? emergency : undefined,
  };
}

function laterDate(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a > b ? a : b;
}

function liveConsent(facts: PermitFacts, { birthDate }: Person): ConsentContent | undefined {
  const { request, now, policy } = facts;
  return facts.consents.find(
    ({ state, content }) =>
      state === 'live' &&
      Date.parse(content.until) > now &&
      content.recipients.includes(request.from) &&
      content.purposes.includes(request.purpose) &&
      consentCounts(content, { birthDate, policy, now }),
  )?.content;
}

function allowedCategories(rule: PolicyRule, facts: PermitFacts, consent: ConsentContent | undefined): DataCategory[] {
  return facts.request.categories.filter(
    (category) =>
      rule.categories.includes(category) &&
      (consent === undefined || consent.categories.includes(category)) &&
      !(rule.blockedBy.includes('restriction') && restricted(category, facts)),
  );
}

const restricted = (category: DataCategory, facts: PermitFacts): boolean =>
  facts.restrictions.some(
    (r) => r.kind === 'restriction' && touches(r, facts.request) && (r.categories.length === 0 || r.categories.includes(category)),
  );

const categoriesBlocked = (rule: PolicyRule, facts: PermitFacts): boolean =>
  rule.blockedBy.includes('restriction') &&
  facts.request.categories.some((category) => rule.categories.includes(category) && restricted(category, facts));

/** An empty list in a restriction means: all of them. */
function touches(restriction: RestrictionContent, request: ExchangeRequest): boolean {
  const recipient = restriction.recipients.length === 0 || restriction.recipients.includes(request.from);
  const purpose = restriction.purposes.length === 0 || restriction.purposes.includes(request.purpose);
  return recipient && purpose;
}

/** The reason a person is shown where several rules failed: what she herself said comes first. */
function weightiest(reasons: readonly DenialReason[]): DenialReason {
  const order: readonly DenialReason[] = ['opted-out', 'restricted', 'withdrawn', 'no-data', 'emergency-not-declared'];
  return order.find((reason) => reasons.includes(reason)) ?? 'no-ground';
}

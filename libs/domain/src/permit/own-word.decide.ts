import type { Actor, ConsentContent, ErrorCode, Policy, ProxyRelationship } from '@portolan/contracts';

/** What somebody says of a record: what widens its use, what narrows it, or what only looks. */
export type Saying = 'consent-give' | 'consent-withdraw' | 'restriction-set' | 'restriction-lift' | 'read';

/** Who says it: the person herself, or somebody whom the login provider attests to stand in a relationship to her. */
export type Speaker = 'herself' | ProxyRelationship;

export interface WordFacts {
  readonly speaker: Speaker;
  readonly saying: Saying;
  /** FHIR date, as exact as it is known. */
  readonly birthDate: string | undefined;
  readonly policy: Pick<Policy, 'personAge'>;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** Role of the actor where a person acts for herself; a proxy's role is the relationship. */
export const SELF_ROLE = 'person';

/**
 * Whether a birth date, by the calendar of UTC, makes a person so old: `undefined` where it is not known exactly enough to tell. Who was born
 * on 29 February is a year older on 1 March of a common year.
 */
export function hasReached(birthDate: string | undefined, years: number, now: number): boolean | undefined {
  if (birthDate === undefined || !/^\d{4}(-\d{2}(-\d{2})?)?$/.test(birthDate)) return undefined;
  const today = new Date(now).toISOString().slice(0, 10);
  const turning = `${String(Number(birthDate.slice(0, 4)) + years).padStart(4, '0')}${birthDate.slice(4)}`;
  if (turning + '-12-31'.slice(birthDate.length - 4) <= today) return true;
  return turning + '-01-01'.slice(birthDate.length - 4) > today ? false : undefined;
}

/**
 * Whether a word counts (design, invariant 3: ages and proxies are the policy's data); `undefined` where it does, else why not. From the
 * age of her own word on a person acts alone; below it a proxy does, whom the policy names for it, and nobody else; where her age cannot be
 * told, her own word still narrows what is done with her record, and nothing widens it.
 */
export function wordBar({ speaker, saying, birthDate, policy, now }: WordFacts): ErrorCode | undefined {
  const { personAge } = policy;
  if (personAge === undefined) return speaker === 'herself' ? undefined : 'ground.not-represented';
  const ownWord = hasReached(birthDate, personAge.ownWordFrom, now);
  if (speaker === 'herself') return ownBar(saying, ownWord);
  if (ownWord === undefined) return 'ground.age-unknown';
  const proxy = personAge.proxies?.find(({ relationship }) => relationship === speaker);
  return !ownWord && proxy?.acts.includes(actOf(saying)) === true ? undefined : 'ground.not-represented';
}

function ownBar(saying: Saying, ownWord: boolean | undefined): ErrorCode | undefined {
  if (saying === 'read' || ownWord === true) return undefined;
  if (ownWord === false) return 'ground.not-of-age';
  return saying === 'consent-withdraw' || saying === 'restriction-set' ? undefined : 'ground.age-unknown';
}

function actOf(saying: Saying): 'consent' | 'restriction' | 'read' {
  if (saying === 'read') return 'read';
  return saying.startsWith('consent') ? 'consent' : 'restriction';
}

/**
 * Whether a permission that was given still counts at a release: a proxy's ends on the day from which the person's own word counts, or
 * when the policy does not name that proxy any more; her own does not count where her word does not.
 */
export function consentCounts({ givenBy }: Pick<ConsentContent, 'givenBy'>, facts: Omit<WordFacts, 'speaker' | 'saying'>): boolean {
  return wordBar({ ...facts, speaker: speakerOf(givenBy), saying: 'consent-give' }) === undefined;
}

/** When a permission that counts now ends by her age alone, epoch milliseconds: a proxy's on the first day on which she may have a word of her own. */
export function consentEnds(
  { givenBy }: Pick<ConsentContent, 'givenBy'>,
  { birthDate, policy }: Pick<WordFacts, 'birthDate' | 'policy'>,
): number {
  if (givenBy.role === SELF_ROLE || birthDate === undefined || policy.personAge === undefined) return Infinity;
  const [year = 0, month = 1, day = 1] = birthDate.split('-').map(Number);
  return Date.UTC(year + policy.personAge.ownWordFrom, month - 1, day);
}

/** A role that is no relationship of any policy is nobody's. */
const speakerOf = ({ role }: Actor): Speaker => (role === SELF_ROLE ? 'herself' : (role as ProxyRelationship));

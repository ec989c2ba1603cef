import type { BusinessIdentifier, ErrorCode } from '@portolan/contracts';
import type { PersonTraits } from '@portolan/formats';
import type { Person, PersonEntry } from '../store/edge-tx.port.js';

/** Who a message is about: somebody known, somebody new, or nobody who can be told for certain. */
export type Identified =
  | { readonly kind: 'known'; readonly person: PersonEntry }
  | { readonly kind: 'new' }
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly element: 'identifier' | 'birthDate' };

/** More identifiers than this of one person in one message are not looked up. */
export const MAX_IDENTIFIERS = 20;

/**
 * Decides by identifiers alone, never on demographics. `candidates` are the live entries that bear any of them; those of several persons,
 * another national identifier of the same system or another birth date refuse the message: persons are never merged silently. Of several
 * entries of one person the one that stands for her is taken.
 *
 * @param national identifier systems by which the country knows a person
 */
export function identify(traits: PersonTraits, candidates: readonly PersonEntry[], national: ReadonlySet<string>): Identified {
  if (traits.identifiers.length === 0) return { kind: 'refused', code: 'ingest.person-unidentified', element: 'identifier' };
  const [first, ...others] = candidates;
  if (first === undefined) return { kind: 'new' };
  const person = candidates.find(({ id, survivor }) => id === survivor) ?? first;
  if (others.some(({ survivor }) => survivor !== person.survivor))
    return { kind: 'refused', code: 'ingest.person-ambiguous', element: 'identifier' };
  if (otherNationalId(traits, person, national)) return { kind: 'refused', code: 'ingest.person-conflict', element: 'identifier' };
  if (otherDay(traits.birthDate, person.birthDate)) return { kind: 'refused', code: 'ingest.person-conflict', element: 'birthDate' };
  return { kind: 'known', person };
}

/** Whether both name a national identifier of one system, and none in common. */
function otherNationalId(traits: PersonTraits, { identifiers, others }: PersonEntry, national: ReadonlySet<string>): boolean {
  return [...national].some((system) => {
    const told = valuesIn(traits.identifiers, system);
    const known = [...valuesIn(identifiers, system), ...valuesIn(others, system)];
    return told.length > 0 && known.length > 0 && !told.some((value) => known.includes(value));
  });
}

const valuesIn = (identifiers: readonly BusinessIdentifier[], system: string): readonly string[] =>
  identifiers.filter((one) => one.system === system).map(({ value }) => value);

/** FHIR dates of different precision agree where the shorter begins the longer. */
function otherDay(told: string | undefined, known: string | undefined): boolean {
  return told !== undefined && known !== undefined && !told.startsWith(known) && !known.startsWith(told);
}

/** What becomes of an entry whose source says that the person goes on under another. */
export type Joined = { readonly kind: 'merge' } | { readonly kind: 'same' } | { readonly kind: 'refused'; readonly code: ErrorCode };

/**
 * Whether two entries may be joined because a source says so. Refused where they name different national identifiers or birth dates: that
 * two known persons are one is never a source's word alone.
 */
export function decideMerge(prior: PersonEntry, survivor: PersonEntry, national: ReadonlySet<string>): Joined {
  if (prior.survivor === survivor.survivor) return { kind: 'same' };
  const traits = { resource: 0, identifiers: [...prior.identifiers, ...prior.others] };
  if (otherNationalId(traits, survivor, national) || otherDay(prior.birthDate, survivor.birthDate))
    return { kind: 'refused', code: 'ingest.merge-conflict' };
  return { kind: 'merge' };
}

/**
 * The person as the index knows her after this message: identifiers are added, a birth date becomes more exact, names follow the
 * newest message that is `authoritative` of her (one that merely mentions her fills gaps alone).
 */
export function knownPerson(person: Person, traits: PersonTraits, authoritative: boolean): Person {
  const added = traits.identifiers.filter((told) => !person.identifiers.some((known) => sameIdentifier(known, told)));
  const { family, given } = traits;
  const name = { family, given: given === undefined || given.length === 0 ? undefined : given.join(' ') };
  const takes = authoritative || (person.family === undefined && person.given === undefined);
  return {
    id: person.id,
    identifiers: [...person.identifiers, ...added],
    birthDate: longer(person.birthDate, traits.birthDate),
    family: takes ? (name.family ?? person.family) : person.family,
    given: takes ? (name.given ?? person.given) : person.given,
  };
}

/** Whether the index says the same of both. */
export const samePerson = (a: Person, b: Person): boolean =>
  a.identifiers.length === b.identifiers.length && a.birthDate === b.birthDate && a.family === b.family && a.given === b.given;

export const sameIdentifier = (a: BusinessIdentifier, b: BusinessIdentifier): boolean => a.system === b.system && a.value === b.value;

const longer = (a: string | undefined, b: string | undefined): string | undefined => ((b?.length ?? 0) > (a?.length ?? 0) ? b : a);

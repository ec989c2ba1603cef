import type { BusinessIdentifier, ErrorCode } from '@portolan/contracts';
import type { PersonTraits } from '@portolan/formats';
import type { Person } from '../store/edge-tx.port.js';

/** Who a message is about: somebody known, somebody new, or nobody who can be told for certain. */
export type Identified =
  | { readonly kind: 'known'; readonly person: Person }
  | { readonly kind: 'new' }
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly element: 'identifier' | 'birthDate' };

/** More identifiers than this of one person in one message are not looked up. */
export const MAX_IDENTIFIERS = 20;

/**
 * Decides by identifiers alone, never on demographics. `candidates` are the live persons who bear any of them; several of them,
 * another national identifier of the same system or another birth date refuse the message: persons are never merged silently.
 *
 * @param national identifier systems by which the country knows a person
 */
export function identify(traits: PersonTraits, candidates: readonly Person[], national: ReadonlySet<string>): Identified {
  if (traits.identifiers.length === 0) return { kind: 'refused', code: 'ingest.person-unidentified', element: 'identifier' };
  const [person, ...others] = candidates;
  if (person === undefined) return { kind: 'new' };
  if (others.length > 0) return { kind: 'refused', code: 'ingest.person-ambiguous', element: 'identifier' };
  if (otherNationalId(traits, person, national)) return { kind: 'refused', code: 'ingest.person-conflict', element: 'identifier' };
  if (otherDay(traits.birthDate, person.birthDate)) return { kind: 'refused', code: 'ingest.person-conflict', element: 'birthDate' };
  return { kind: 'known', person };
}

/** Whether both name a national identifier of one system, and none in common. */
function otherNationalId(traits: PersonTraits, person: Person, national: ReadonlySet<string>): boolean {
  return [...national].some((system) => {
    const told = valuesIn(traits.identifiers, system);
    const known = valuesIn(person.identifiers, system);
    return told.length > 0 && known.length > 0 && !told.some((value) => known.includes(value));
  });
}

const valuesIn = (identifiers: readonly BusinessIdentifier[], system: string): readonly string[] =>
  identifiers.filter((one) => one.system === system).map(({ value }) => value);

/** FHIR dates of different precision agree where the shorter begins the longer. */
function otherDay(told: string | undefined, known: string | undefined): boolean {
  return told !== undefined && known !== undefined && !told.startsWith(known) && !known.startsWith(told);
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

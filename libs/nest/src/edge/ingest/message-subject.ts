import { PortolanError } from '@portolan/contracts';
import {
  agesOf,
  ensurePersonId,
  identify,
  isOlder,
  knownPerson,
  MAX_IDENTIFIERS,
  sameIdentifier,
  sourcePlace,
  type EdgeTx,
  type KeyId,
  type Person,
  type PersonEntry,
  type PersonId,
} from '@portolan/domain';
import { stableUuid, type PersonTraits, type Translation } from '@portolan/formats';
import type { IngestTools } from './incoming.js';

/** The person whom a message is about. */
export interface Subject {
  readonly id: PersonId;
  /** Entries of the index that are this person, this one among them. */
  readonly same: readonly PersonId[];
  /** As the index knows her; undefined where she is new. */
  readonly before: PersonEntry | undefined;
  /** As the index is to know her after this message. */
  readonly after: Person;
  readonly keyId: KeyId;
}

type Tools = Pick<IngestTools, 'national' | 'sha256'>;

interface Matching {
  readonly translation: Translation;
  readonly traits: PersonTraits;
  /** Id of the message's Patient: a new person takes it as her own, so that `Patient/<person>` is a resource. */
  readonly patient: PersonId;
  readonly national: ReadonlySet<string>;
}

/**
 * Finds the one person whom the message is about, or makes her; throws the code that refuses the message. Until the commit nobody else
 * files for her: messages of one person come one after the other, in however many copies the edge runs.
 */
export async function subjectOf(tx: EdgeTx, translation: Translation, tools: Tools): Promise<Subject> {
  const [traits, ...others] = translation.persons;
  if (traits === undefined) throw new PortolanError('translate.value-missing', 'message', 'no person');
  if (others.length > 0) throw new PortolanError('ingest.several-persons', 'message');
  return entryOf(tx, translation, withoutMoved(traits, translation), tools);
}

/** An identifier that is moved to the person (HL7 v2 A43) stands among hers in the message, and finds another's entry until it is moved. */
function withoutMoved(traits: PersonTraits, { moved }: Translation): PersonTraits {
  const those = moved.flatMap(({ identifiers }) => identifiers);
  return { ...traits, identifiers: traits.identifiers.filter((told) => !those.some((one) => sameIdentifier(one, told))) };
}

/** The entry of the index that these traits name, or a new one; locked until the commit. */
export async function entryOf(tx: EdgeTx, translation: Translation, traits: PersonTraits, tools: Tools): Promise<Subject> {
  const matching = matchingOf(translation, traits, tools.national);
  const candidates = await candidatesOf(tx, matching);
  const settled = (await claimUnknown(tx, matching.traits, candidates, tools)) ? await candidatesOf(tx, matching) : candidates;
  const id = decide(matching, settled)?.id ?? matching.patient;
  const keyId = await lockPerson(tx, id);
  const before = decide(matching, await candidatesOf(tx, matching));
  if ((before?.id ?? matching.patient) !== id) throw new PortolanError('store.conflict', 'person index');
  const authoritative = !translation.mentions.includes(matching.traits.resource) && !(await isOld(tx, matching));
  const blank: Person = { id, identifiers: [], birthDate: undefined, family: undefined, given: undefined };
  const same = before === undefined ? [id] : await tx.persons.same(id);
  return { id, same, before, after: knownPerson(before ?? blank, matching.traits, authoritative), keyId };
}

/** Something newer was said of her by the same source: the index follows that. */
async function isOld(tx: EdgeTx, { translation, traits, patient }: Matching): Promise<boolean> {
  const age = agesOf(translation)[traits.resource];
  return age !== undefined && isOlder(age, await tx.resources.age('Patient', patient));
}

function matchingOf(translation: Translation, traits: PersonTraits, national: ReadonlySet<string>): Matching {
  const identifiers = traits.identifiers.slice(0, MAX_IDENTIFIERS);
  const patient = ensurePersonId(translation.resources[traits.resource]?.id ?? '');
  return { translation, traits: { ...traits, identifiers }, patient, national };
}

/** Live entries that bear any of the identifiers, and the one that has the Patient's id. */
async function candidatesOf(tx: EdgeTx, { traits, patient }: Matching): Promise<readonly PersonEntry[]> {
  const found = new Map<PersonId, PersonEntry>();
  for (const identifier of traits.identifiers) {
    for (const person of await tx.persons.entriesBearing(identifier)) found.set(person.id, person);
  }
  const same = await tx.persons.entry(patient);
  if (same !== undefined) found.set(same.id, same);
  return [...found.values()];
}

function decide({ traits, translation, national }: Matching, candidates: readonly PersonEntry[]): PersonEntry | undefined {
  const found = identify(traits, candidates, national);
  if (found.kind === 'refused') throw new PortolanError(found.code, sourcePlace(translation, traits.resource, found.element));
  return found.kind === 'known' ? found.person : undefined;
}

/**
 * Claims each identifier that nobody bears yet: of two messages that bring it at the same time the second waits here for the first's
 * commit, and then finds its person. True where there was any, so that the index must be read again.
 */
async function claimUnknown(
  tx: EdgeTx,
  { identifiers }: PersonTraits,
  candidates: readonly PersonEntry[],
  { sha256 }: Pick<IngestTools, 'sha256'>,
): Promise<boolean> {
  const unknown = identifiers.filter(
    (told) => !candidates.some((person) => person.identifiers.some((known) => sameIdentifier(known, told))),
  );
  const claims = unknown.map(({ system, value }) => stableUuid(sha256, ['person-identifier', system, value])).toSorted();
  for (const claim of claims) await tx.inbox.first(claim);
  return claims.length > 0;
}

/** The person's key; giving it to the person to whom it belongs changes nothing, and holds its row until the commit. */
async function lockPerson(tx: EdgeTx, id: PersonId): Promise<KeyId> {
  const keyId = await tx.keys.forPerson(id);
  await tx.keys.assign(keyId, id);
  return keyId;
}

import { PortolanError, type Uuid } from '@portolan/contracts';
import { isAssignedHere, treeOf, type EdgeTx, type Filing, type StayLeft } from '@portolan/domain';
import { identifierKey, stableUuid, type FhirObject, type MovedStay } from '@portolan/formats';
import { organisationKey } from '../person/proposed-entry.js';
import { identifiersIn, type Place, type Usable, type Whose } from './filed.js';
import type { IngestTools } from './incoming.js';

/** The word of whoever assigns a number: it holds for all who repeat it. */
const ASSIGNER = '';

/** By what the number of a stay is remembered, with whose word it is: one organisation's alone (`organisationKey`), or its assigner's. */
export const stayKey = (number: FhirObject, word: string, { sha256 }: Pick<IngestTools, 'sha256'>): Uuid =>
  stableUuid(sha256, ['stay', word, identifierKey(number)]);

const keysOf = (numbers: readonly FhirObject[], words: readonly string[], tools: Pick<IngestTools, 'sha256'>): readonly Uuid[] =>
  numbers.flatMap((number) => words.map((word) => stayKey(number, word, tools)));

/**
 * Remembers that a stay is whose no more (HL7 v2 A45), whether or not anybody heard of it yet: what comes later under her is refused by this. The
 * stay is remembered no more as moved from whom it goes to.
 */
export async function rememberMove(
  tx: EdgeTx,
  { translation, sender }: Usable,
  told: MovedStay,
  whose: Pick<Whose, 'id'>,
  { subject, messageId }: Place,
  tools: IngestTools,
): Promise<void> {
  const [from, to] = [numbersOf(translation, told.from), numbersOf(translation, told.to)];
  const house = organisationKey(sender.organisation);
  await tx.stayMoves.forget(subject.same, keysOf(to, [house, ASSIGNER], tools));
  const [first] = to;
  if (first === undefined || told.from === told.to) return;
  const hers = subject.same.includes(whose.id);
  const stand = hers ? new Set(to.map(identifierKey)) : new Set();
  for (const number of from.filter((one) => !stand.has(identifierKey(one)))) {
    // What number a stay of hers has is the house's own matter: whoever repeats the old one is still right about whose it is.
    const words = !hers && isAssignedHere(number, sender, tools.sources) ? [house, ASSIGNER] : [house];
    const toStays = keysOf([first], words, tools);
    for (const [i, stay] of keysOf([number], words, tools).entries())
      await tx.stayMoves.remember({ person: whose.id, stay, toPerson: subject.id, toStay: toStays[i] ?? stay, messageId });
  }
}

/** The numbers of a stay that a message names, by its index in the resources. */
export const numbersOf = ({ resources }: Usable['translation'], resource: number): readonly FhirObject[] =>
  identifiersIn(resources[resource] ?? {});

/**
 * Throws `ingest.stay-moved` where a stay that is new here was moved from the message's person, or from this number, before anybody heard of it. One that
 * another organisation says to be another person's is filed as it is sent, and an operator is asked.
 */
export async function refuseMoved(
  tx: EdgeTx,
  fresh: readonly Filing[],
  { sender, translation: { format } }: Usable,
  { subject, at }: Place,
  tools: IngestTools,
): Promise<void> {
  const stays = fresh.filter(({ type }) => type === 'Encounter').map(({ id, text }) => ({ id, numbers: identifiersIn(treeOf(text)) }));
  if (stays.every(({ numbers }) => numbers.length === 0)) return;
  const house = organisationKey(sender.organisation);
  const own = keysOf(
    stays.flatMap(({ numbers }) => numbers),
    [house, ASSIGNER],
    tools,
  );
  const others = [...new Set(tools.sources.map(({ organisation }) => organisationKey(organisation)))].filter((one) => one !== house);
  const theirs = new Map(stays.flatMap(({ id, numbers }) => keysOf(numbers, others, tools).map((key) => [key, id])));
  for (const move of await tx.stayMoves.of(subject.same, [...own, ...theirs.keys()])) {
    const { person, stay, toPerson, toStay } = move;
    const elsewhere = !subject.same.includes(toPerson);
    if (own.includes(stay) && (elsewhere || !own.includes(toStay))) throw new PortolanError('ingest.stay-moved', 'Encounter');
    const encounter = theirs.get(stay);
    if (encounter !== undefined && elsewhere)
      await leaveStay(tx, { person, stay, encounter, custodian: house, why: format === 'hl7v2' ? 'of-another' : 'document', at }, tools);
  }
}

/** A stay of another organisation's stands where it stood, and an operator is asked whether it goes, too. */
export async function leaveStay(tx: EdgeTx, left: Omit<StayLeft, 'id' | 'state'>, { sha256 }: Pick<IngestTools, 'sha256'>): Promise<void> {
  await tx.stayMoves.leave({ ...left, id: stableUuid(sha256, ['stay-left', left.encounter]), state: 'open' });
}

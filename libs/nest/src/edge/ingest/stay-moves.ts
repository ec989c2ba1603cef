import { PortolanError, type Uuid } from '@portolan/contracts';
import { isAssignedHere, treeOf, type EdgeTx, type Filing } from '@portolan/domain';
import { identifierKey, stableUuid, type FhirObject, type MovedStay } from '@portolan/formats';
import { organisationKey } from '../person/proposed-entry.js';
import { identifiersIn, type Place, type Usable, type Whose } from './filed.js';
import type { IngestTools } from './incoming.js';

/** The word of whoever assigns a number: it holds for all who repeat it. */
const ASSIGNER = '';

/** By what the numbers of a stay are remembered, each with whose word it is: one organisation's alone, or its assigner's. */
const keysOf = (numbers: readonly FhirObject[], words: readonly string[], { sha256 }: Pick<IngestTools, 'sha256'>): readonly Uuid[] =>
  numbers.flatMap((number) => words.map((word) => stableUuid(sha256, ['stay', word, identifierKey(number)])));

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

const numbersOf = ({ resources }: Usable['translation'], resource: number): readonly FhirObject[] =>
  identifiersIn(resources[resource] ?? {});

/** Throws `ingest.stay-moved` where a stay that is new here was moved from the message's person, or from this number, before anybody heard of it. */
export async function refuseMoved(
  tx: EdgeTx,
  fresh: readonly Filing[],
  { sender }: Usable,
  { subject }: Place,
  tools: IngestTools,
): Promise<void> {
  const numbers = fresh.filter(({ type }) => type === 'Encounter').flatMap(({ text }) => identifiersIn(treeOf(text)));
  if (numbers.length === 0) return;
  const keys = keysOf(numbers, [organisationKey(sender.organisation), ASSIGNER], tools);
  const moves = await tx.stayMoves.of(subject.same, keys);
  if (moves.some(({ toPerson, toStay }) => !subject.same.includes(toPerson) || !keys.includes(toStay)))
    throw new PortolanError('ingest.stay-moved', 'Encounter');
}

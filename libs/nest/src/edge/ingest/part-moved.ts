import { PortolanError } from '@portolan/contracts';
import { sameIdentifier, sourcePlace, type EdgeTx, type PersonEntry, type PersonMerge } from '@portolan/domain';
import type { PersonTraits } from '@portolan/formats';
import type { Place, Usable } from './filed.js';
import type { IngestTools } from './incoming.js';
import { entryOf } from './message-subject.js';
import { takeBackJoining } from './part-linked.js';

/**
 * An identifier was another person's until now (HL7 v2 A43, §3.3.43): its entry, with all that was filed under it, is taken from her, so that
 * it can be joined to the message's person. Throws `ingest.move-entangled` where what belongs to the identifier cannot be told from what
 * else is hers, and `ingest.merge-conflict` where another source joined it to her.
 */
export async function partMoved(tx: EdgeTx, usable: Usable, { at, subject }: Place, tools: IngestTools): Promise<void> {
  const { translation, incoming } = usable;
  // What is translated again was acted upon when it came; since then it may have been moved anew.
  if (incoming.again !== undefined) return;
  for (const traits of translation.moved) {
    const { before } = await entryOf(tx, translation, traits, tools);
    if (before === undefined || subject.same.includes(before.id)) continue;
    const place = sourcePlace(translation, traits.resource, 'identifier');
    const merge = await holdingMerge(tx, before, traits, place);
    if (merge !== undefined) await takeBackJoining(tx, merge, { usable, at, place }, tools);
  }
}

/** The joining by which the entry is another person's; undefined where it stands for itself alone. */
async function holdingMerge(
  tx: EdgeTx,
  entry: PersonEntry,
  { identifiers }: PersonTraits,
  place: string,
): Promise<PersonMerge | undefined> {
  const entangled = (): PortolanError => new PortolanError('ingest.move-entangled', place);
  // Under one entry stand all identifiers that her messages named together: which of its resources belongs to which, nobody said.
  if (!entry.identifiers.every((known) => identifiers.some((told) => sameIdentifier(known, told)))) throw entangled();
  if (entry.survivor === entry.id) {
    if ((await tx.persons.same(entry.id)).length > 1) throw entangled();
    return undefined;
  }
  const merge = await tx.persons.mergeBetween(entry.id, entry.survivor);
  if (merge?.prior !== entry.id) throw entangled();
  return merge;
}

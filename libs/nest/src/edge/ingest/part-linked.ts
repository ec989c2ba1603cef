import { PortolanError, type Instant } from '@portolan/contracts';
import { sourcePlace, type EdgeTx, type PersonMerge } from '@portolan/domain';
import { partPersons } from '../part-persons.js';
import type { Place, Usable } from './filed.js';
import { sendingActor, sourceOf, type IngestTools } from './incoming.js';
import { entryOf } from './message-subject.js';

/**
 * The source takes back that those whom the message names beside its person are she (HL7 v2 A37, §3.3.37): the link that it made between the two
 * is undone, with all that follows where an operator undoes it. Where none stands there is nothing to do. Throws `ingest.merge-conflict` where
 * another source joined the two: of that one, only it or an operator has the say.
 */
export async function partLinked(tx: EdgeTx, usable: Usable, { at, subject }: Place, tools: IngestTools): Promise<void> {
  // What is translated again was acted upon when it came; since then the two may have been linked anew.
  const { translation, incoming } = usable;
  if (incoming.again !== undefined) return;
  for (const traits of translation.parted) {
    const other = await entryOf(tx, translation, traits, tools);
    const merge = await tx.persons.mergeBetween(subject.id, other.id);
    if (merge !== undefined)
      await takeBackJoining(tx, merge, { usable, at, place: sourcePlace(usable.translation, traits.resource, 'identifier') }, tools);
  }
}

/** What takes a joining back: a message, and where it does so. */
interface TakingBack {
  readonly usable: Usable;
  readonly at: Instant;
  readonly place: string;
}

/** Undoes a joining because its own source says that the two are two. Throws `ingest.merge-conflict` where another source joined them. */
export async function takeBackJoining(
  tx: EdgeTx,
  merge: PersonMerge,
  { usable: { incoming }, at, place }: TakingBack,
  tools: IngestTools,
): Promise<void> {
  const said = await tx.messages.get(merge.messageId);
  if (said === undefined || sourceOf(said.source) !== incoming.source) throw new PortolanError('ingest.merge-conflict', place);
  const sha256Of = (text: string): string => tools.sha256(new TextEncoder().encode(text));
  const parting = { actor: sendingActor(incoming), reason: 'its source says that they are two', at };
  await partPersons(tx, merge, parting, { ...tools, sha256Of });
}

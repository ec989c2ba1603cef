import { filingOf, isAssignedHere, type EdgeTx, type Filing, type ResourceVersion } from '@portolan/domain';
import { translate, type MovedStay, type Translation } from '@portolan/formats';
import { organisationKey } from '../person/proposed-entry.js';
import { identifiersIn, type Usable } from './filed.js';
import { sourceOf, type IngestTools } from './incoming.js';
import { firstMessageOf, sentBy } from './sent-by.js';

/** A stay that another system sent under the number that is moved, and the move as if that system had told of it. */
export interface OthersStay {
  readonly stay: ResourceVersion;
  /** The message's Patient under the id that the other's messages give her. */
  readonly patient: Filing;
  /** The stay where it goes, under the id that the other's messages give it there. */
  readonly filing: Filing;
}

const UNKNOWN = { content: undefined, sent: undefined };

/**
 * Which of these stays go along with the one that the message moves: those that a system of the same organisation sent under its number, and, where
 * that organisation assigns the number, those of everybody, since the others only repeat it: a laboratory knows a stay from the hospital's order.
 * They get the ids that their own sources' messages about the new person give, so that what these send later meets them.
 */
export async function staysOfOthers(
  tx: EdgeTx,
  usable: Usable,
  told: MovedStay,
  stays: readonly ResourceVersion[],
  tools: IngestTools,
): Promise<readonly OthersStay[]> {
  const found: OthersStay[] = [];
  for (const stay of stays) {
    if (!(await goesAlong(tx, usable, told, stay, tools))) continue;
    const as = await asToldBy(tx, usable, stay, tools);
    if (as === undefined) continue;
    const there = as.movedStays[usable.translation.movedStays.indexOf(told)];
    const [patient, encounter] = [as.persons[0]?.resource, there?.to].map((i) => as.resources[i ?? -1]);
    if (patient === undefined || encounter === undefined) continue;
    found.push({ stay, patient: filingOf(patient, UNKNOWN, tools), filing: filingOf(encounter, UNKNOWN, tools) });
  }
  return found;
}

async function goesAlong(
  tx: EdgeTx,
  { translation, sender }: Usable,
  told: MovedStay,
  stay: ResourceVersion,
  { sources }: IngestTools,
): Promise<boolean> {
  const house = await sentBy(tx, stay, sources);
  if (house !== undefined && organisationKey(house) === organisationKey(sender.organisation)) return true;
  return identifiersIn(translation.resources[told.from] ?? {}).some((number) => isAssignedHere(number, sender, sources));
}

/** The message as the system would have sent it that sent this stay; undefined where that speaks another format than HL7 v2. */
async function asToldBy(
  tx: EdgeTx,
  { incoming: { bytes, received, source } }: Usable,
  stay: ResourceVersion,
  { pack: country, sha256 }: IngestTools,
): Promise<Translation | undefined> {
  const message = await firstMessageOf(tx, stay);
  if (message?.format !== 'hl7v2') return undefined;
  const common = { format: 'hl7v2', country, sha256 } as const;
  const its = translate({ ...common, bytes: message.original, received: message.receivedAt, source: sourceOf(message.source) });
  return translate({ ...common, bytes, received, source, organisation: its.message.sender.organisation });
}

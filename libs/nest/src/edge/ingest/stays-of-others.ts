import { filingOf, isAssignedHere, type EdgeTx, type Filing, type ResourceVersion, type StayLeft } from '@portolan/domain';
import { translate, type MovedStay, type Translation } from '@portolan/formats';
import { organisationKey } from '../person/proposed-entry.js';
import { identifiersIn, type Usable } from './filed.js';
import { sourceOf, type IngestTools } from './incoming.js';
import { firstMessageOf, sentBy } from './sent-by.js';

/** Where a stay goes that another system sent under the number that is moved. */
export interface OthersStay {
  /** The message's Patient under the id that the other's messages give her. */
  readonly patient: Filing;
  /** The stay where it goes, under the id that the other's messages give it there. */
  readonly filing: Filing;
}

const UNKNOWN = { content: undefined, sent: undefined };

/**
 * Why a stay that another system sent does not go along with its number; undefined where it does: a system of the same organisation sent it, or that
 * organisation assigns the number, since the others only repeat it: a laboratory knows a stay from the hospital's order. A document names its patient
 * itself, and what it says beside the stay hangs under her alone: it is never moved in part.
 */
export async function whyLeft(
  tx: EdgeTx,
  { translation, sender }: Usable,
  told: MovedStay,
  stay: ResourceVersion,
  { sources }: IngestTools,
): Promise<Exclude<StayLeft['why'], 'entangled'> | undefined> {
  if ((await firstMessageOf(tx, stay))?.format !== 'hl7v2') return 'document';
  const house = await sentBy(tx, stay, sources);
  const own = house !== undefined && organisationKey(house) === organisationKey(sender.organisation);
  const numbers = identifiersIn(translation.resources[told.from] ?? {});
  return own || numbers.some((number) => isAssignedHere(number, sender, sources)) ? undefined : 'of-another';
}

/** Who sent the stay, as operators are told of it. */
export async function senderOf(tx: EdgeTx, stay: ResourceVersion, { sources }: IngestTools): Promise<string> {
  const house = await sentBy(tx, stay, sources);
  return house === undefined ? 'unknown' : organisationKey(house);
}

/**
 * Patient and stay get the ids that messages of the stay's own source about the new person give, so that what it sends later meets them. Undefined
 * where no message of HL7 v2 brought the stay.
 */
export async function whereItGoes(
  tx: EdgeTx,
  usable: Usable,
  told: MovedStay,
  stay: ResourceVersion,
  tools: IngestTools,
): Promise<OthersStay | undefined> {
  const as = await asToldBy(tx, usable, stay, tools);
  const there = as?.movedStays[usable.translation.movedStays.indexOf(told)];
  const [patient, encounter] = [as?.persons[0]?.resource, there?.to].map((i) => as?.resources[i ?? -1]);
  if (patient === undefined || encounter === undefined) return undefined;
  return { patient: filingOf(patient, UNKNOWN, tools), filing: filingOf(encounter, UNKNOWN, tools) };
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

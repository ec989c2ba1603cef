import type { Uuid } from '@portolan/contracts';
import {
  filingOf,
  goesWith,
  isOlder,
  renamed,
  standingAge,
  toldAgain,
  treeOf,
  type EdgeTx,
  type Filing,
  type MessageAccount,
  type MovedEntry,
  type PersonId,
  type ResourceVersion,
} from '@portolan/domain';
import { isFhirObject, stableUuid, type FhirObject } from '@portolan/formats';
import { judgeAgain } from '../reconciliation/proposals.js';
import { nameOf, nextVersion, wasMovedAway, type Filed, type Place, type Usable } from './filed.js';
import { calledUnder, idUnder } from './ids-under.js';
import type { IngestTools } from './incoming.js';
import { fileProvenance, recordFiling, tellChanges } from './tell-filing.js';

/** An entry of a message that is another's, or stands under another number, since the message was filed. */
export interface Gone {
  readonly filing: Filing;
  /** What stands under its id no more; undefined where the message had no such entry then. */
  readonly left: ResourceVersion | undefined;
  /** Where it went. Undefined where nothing of it stands there any more, or where it is new. */
  readonly stands: ResourceVersion | undefined;
}

/** Moves of one entry that are followed, and versions of one among which its move is looked for. */
const MAX_MOVES = 50;
const MAX_HISTORY = 500;

/**
 * Which entries of a message that is translated again were moved with their stay since it came (HL7 v2 A45), and what belongs to them. Of a
 * message that comes now there are none: it is refused by its stay (`ingest.stay-moved`).
 */
export async function movedSince(tx: EdgeTx, { incoming }: Usable, filings: readonly Filing[]): Promise<readonly Gone[]> {
  if (incoming.again === undefined) return [];
  const hers = filings.filter(({ personal }) => personal);
  const standing = await tx.resources.standing(hers);
  const moved = hers.map((filing) => standing.get(nameOf(filing))?.current).filter((one) => one !== undefined && wasMovedAway(one));
  const goes = goesWith(
    new Set(moved.flatMap((one) => (one === undefined ? [] : [nameOf(one)]))),
    hers.map((filing) => ({ name: nameOf(filing), tree: treeOf(filing.text) })),
  );
  const gone: Gone[] = [];
  for (const filing of hers.filter((one) => goes.has(nameOf(one)))) {
    const current = standing.get(nameOf(filing))?.current;
    // What she has again in another stay, such as the same diagnosis, stands as hers, and was moved all the same.
    const left = current === undefined || wasMovedAway(current) ? current : await lastMoved(tx, filing);
    if (left !== undefined || current === undefined) gone.push({ filing, left, stands: left && (await whereTo(tx, left)) });
  }
  return gone;
}

const lastMoved = async (tx: EdgeTx, { type, id }: Filing): Promise<ResourceVersion | undefined> =>
  (await tx.resources.history(type, id, MAX_HISTORY)).find(wasMovedAway);

/** What stands where an entry went, however often it was moved on. */
async function whereTo(tx: EdgeTx, left: ResourceVersion): Promise<ResourceVersion | undefined> {
  let at = left;
  for (let moves = 0; moves < MAX_MOVES; moves += 1) {
    const { type, id, messageId } = at;
    const account = messageId === undefined ? undefined : ((await tx.messages.account(messageId)) as MessageAccount | undefined);
    const next = account?.moved?.find((one) => one.type === type && one.was === id);
    const stands = next === undefined ? undefined : await tx.resources.get(type, next.id);
    if (stands === undefined || (stands.deleted && !wasMovedAway(stands))) return undefined;
    if (!stands.deleted) return stands;
    at = stands;
  }
  return undefined;
}

interface Job {
  readonly tx: EdgeTx;
  readonly usable: Usable;
  readonly place: Place;
  readonly tools: IngestTools;
}

/**
 * What a message that is translated again says otherwise of entries that were moved since: it reaches them where they stand, in the record of
 * whose they are, who is told of it as of any other change. Answers with where each of them stands.
 */
export async function fileElsewhere(
  tx: EdgeTx,
  gone: readonly Gone[],
  usable: Usable,
  place: Place,
  tools: IngestTools,
): Promise<readonly MovedEntry[]> {
  const moved: MovedEntry[] = [];
  // New entries go where the first of the others went: a message tells of one stay.
  let fresh = gone.filter(({ left }) => left === undefined);
  for (const [person, entries] of Map.groupBy(gone, ({ stands }) => stands?.person)) {
    if (person === undefined) continue;
    const subject = { id: person, same: await tx.persons.same(person), keyId: await lockedKey(tx, person) };
    const job = { tx, usable, place: { ...place, subject }, tools };
    const filed = await fileFor(job, [...entries, ...fresh]);
    fresh = [];
    moved.push(...entries.flatMap(({ filing: { type, id: was }, stands }) => (stands === undefined ? [] : [{ type, id: stands.id, was }])));
    await tellOf(job, filed);
  }
  return moved;
}

/** Until the commit nobody else files for her. */
async function lockedKey(tx: EdgeTx, person: PersonId): Promise<Place['subject']['keyId']> {
  const keyId = await tx.keys.forPerson(person);
  await tx.keys.assign(keyId, person);
  return keyId;
}

async function fileFor(job: Job, entries: readonly Gone[]): Promise<readonly Filed[]> {
  const names = namesThere(job, entries);
  const filed: Filed[] = [];
  for (const { filing, left, stands } of entries) {
    const put = left === undefined ? await fileNew(job, filing, names) : await fileMoved(job, filing, { left, stands }, names);
    if (put !== undefined) filed.push(put);
  }
  return filed;
}

/** What the message's entries and its Patient are called in the record where they are now. */
function namesThere(job: Job, entries: readonly Gone[]): ReadonlyMap<string, string> {
  const { translation } = job.usable;
  const names = new Map(entries.flatMap(({ filing, stands }) => (stands === undefined ? [] : [[nameOf(filing), nameOf(stands)]])));
  const patient = entries.map(({ stands }) => patientIn(stands)).find((one) => one !== undefined);
  if (patient === undefined) return names;
  const fresh = entries.filter(({ left }) => left === undefined);
  if (fresh.length > 0) for (const [was, is] of newNames(job, patient, fresh)) names.set(was, is);
  return names.set(`Patient/${translation.resources[translation.persons[0]?.resource ?? -1]?.id ?? ''}`, `Patient/${patient}`);
}

/** Id of the Patient under whom an entry hangs. */
function patientIn(stands: ResourceVersion | undefined): string | undefined {
  const tree = stands === undefined ? {} : treeOf(stands.text);
  const whose = [tree['subject'], tree['patient']].find(isFhirObject)?.['reference'];
  return typeof whose === 'string' && whose.startsWith('Patient/') ? whose.slice('Patient/'.length) : undefined;
}

/** What the message calls these where it is about this Patient. */
function newNames({ usable: { incoming }, tools }: Job, patient: string, fresh: readonly Gone[]): readonly (readonly [string, string])[] {
  const { bytes, received, source, again } = incoming;
  const names = calledUnder({ bytes, country: again?.pack ?? tools.pack, sha256: tools.sha256, received, source }, patient);
  return fresh.map(({ filing }) => [nameOf(filing), `${filing.type}/${names.get(nameOf(filing)) ?? idUnder(patient, filing, tools)}`]);
}

async function fileMoved(
  { tx, place, tools }: Job,
  filing: Filing,
  { left, stands }: { readonly left: ResourceVersion; readonly stands: ResourceVersion | undefined },
  names: ReadonlyMap<string, string>,
): Promise<Filed | undefined> {
  if (stands === undefined || filing.mention) return undefined;
  // The message of the move is younger than a stay that it moved: what counts is how old that was where it was left.
  const age = await tx.resources.age(filing.type, filing.type === 'Encounter' ? left.id : stands.id);
  if (isOlder(filing.age, age)) return undefined;
  const [before, now] = [renamed(treeOf(left.text), names), renamed(treeOf(filing.text), names)];
  const tree = toldAgain(treeOf(stands.text), before, now);
  const next = filingOf({ ...tree, resourceType: stands.type, id: stands.id }, filing.age, tools);
  const { messageId, at } = place;
  const put = await tx.resources.put({ ...(await nextVersion(tx, next, stands, place)), messageId: stands.messageId }, next.search);
  // What is answered next is compared with this; the message's account tells where the entry went.
  const current = await tx.resources.get(left.type, left.id);
  if (current !== undefined && wasMovedAway(current))
    await tx.resources.put({ ...current, lastUpdated: at, messageId, sha256: filing.sha256, text: filing.text }, []);
  return { filing: next, ...put };
}

/** An entry that the message has only now. Where one stands under its id already, that was told by the person's own messages. */
async function fileNew({ tx, place, tools }: Job, filing: Filing, names: ReadonlyMap<string, string>): Promise<Filed | undefined> {
  const id = names.get(nameOf(filing))?.slice(filing.type.length + 1) ?? filing.id;
  if ((await tx.resources.get(filing.type, id)) !== undefined) return undefined;
  const tree: FhirObject = renamed(treeOf(filing.text), names);
  const next = filingOf({ ...tree, resourceType: filing.type, id }, filing.age, tools);
  const put = await tx.resources.put(await nextVersion(tx, next, undefined, place), next.search);
  await tx.resources.setAge(next.type, id, standingAge(filing.age, place.at));
  return { filing: next, ...put };
}

async function tellOf({ tx, usable, place, tools }: Job, filed: readonly Filed[]): Promise<void> {
  const changed = filed.filter((one) => one.changed);
  if (changed.length === 0) return;
  const { subject, messageId } = place;
  await judgeAgain(
    tx,
    changed.filter(({ versionId }) => versionId > 1).map(({ filing }) => nameOf(filing)),
  );
  const provenance: Uuid = stableUuid(tools.sha256, ['moved-since', messageId, subject.id]);
  await fileProvenance(tx, changed, usable, place, tools, provenance);
  await recordFiling(tx, changed, usable.incoming, { subject, keyId: subject.keyId }, tools);
  await tellChanges(tx, changed, place, tools);
}

import { PortolanError } from '@portolan/contracts';
import {
  filingsOf,
  fromFhirJson,
  isFhirObject,
  isFromAbroad,
  isOlder,
  keptJoined,
  refiled,
  samePerson,
  searchValues,
  standingAge,
  type EdgeTx,
  type Filing,
  type IngestAnswer,
  type MessageAccount,
  type ResourceVersion,
  type StandingResource,
} from '@portolan/domain';
import type { FhirResource, Translation } from '@portolan/formats';
import { organisationKey } from '../person/proposed-entry.js';
import { judgeAgain, proposeRepeated, proposeRepeats } from '../reconciliation/proposals.js';
import { isAnothers, nameOf, nextVersion, wasMovedAway, type Filed, type Place, type Usable } from './filed.js';
import { keepMessage, type Incoming, type IngestTools } from './incoming.js';
import { joinPriors } from './join-priors.js';
import { subjectOf, type Subject } from './message-subject.js';
import { moveStays } from './move-stays.js';
import { fileElsewhere, movedSince } from './moved-since.js';
import { partLinked } from './part-linked.js';
import { partMoved } from './part-moved.js';
import { refuseMoved } from './stay-moves.js';
import { fileProvenance, recordFiling, tellChanges } from './tell-filing.js';

/**
 * Files a message: original, person, resources, provenance, account, audit event and what other roles must hear, all in the caller's
 * one transaction. Throws `ingest.*` where the message must be refused after all; nothing stays then.
 */
export async function fileMessage(tx: EdgeTx, usable: Usable, tools: IngestTools): Promise<IngestAnswer> {
  const { incoming, translation } = usable;
  const subject = await subjectOf(tx, translation, tools);
  const kept = await keepMessage(tx, incoming, 'stored', tools);
  if ('earlier' in kept) return kept.earlier;
  await tx.keys.assign(kept.keyId, subject.id);
  await giveOriginal(tx, incoming, subject);
  if (subject.before === undefined || !samePerson(subject.before, subject.after)) await tx.persons.save(subject.after);
  const place: Place = { messageId: kept.id, at: incoming.received, subject };
  const filings = filingsOf(translation, tools.sha256, tools.index);
  const apart = filedApart(translation);
  const here = filings.filter(({ id }) => !apart.has(id));
  const gone = await movedSince(tx, usable, here);
  const plain = await fileAll(
    tx,
    here.filter((filing) => !gone.some((one) => one.filing === filing)),
    usable,
    place,
    tools,
  );
  const elsewhere = await fileElsewhere(tx, gone, usable, place, tools);
  const stays = await moveStays(tx, usable, place, filings, tools);
  const filed = [...plain, ...stays.filed];
  await partMoved(tx, usable, place, tools);
  const joined = await joinPriors(tx, usable, place, filings, tools);
  await partLinked(tx, usable, place, tools);
  await reconcile(tx, filed, usable, place, tools);
  await fileProvenance(tx, [...filed, ...joined], usable, place, tools);
  const problems = translation.account.rejects.map(({ code, path, severity }) => ({ code, path, severity }));
  const answer: IngestAnswer = { messageId: kept.id, state: 'stored', problems };
  const { mapVersion, account } = translation;
  const late = filed.flatMap(({ filing: { type, id }, versionId: version, stands: standing }) =>
    standing === undefined ? [] : [{ type, id, version, stands: standing }],
  );
  const moved = [...stays.moved, ...elsewhere];
  const said: MessageAccount = {
    v: 1,
    answer,
    mapVersion,
    account,
    ...(late.length > 0 && { late }),
    ...(moved.length > 0 && { moved }),
  };
  await tx.messages.putAccount(kept.id, kept.keyId, said);
  if (incoming.again === undefined) await tx.mappings.ask(translation.questions.slice(0, MAX_QUESTIONS), kept.id, incoming.received);
  await recordFiling(tx, [...filed, ...joined], incoming, { subject, keyId: kept.keyId }, tools);
  await tellChanges(tx, filed, place, tools);
  return answer;
}

/** Ids of what is not filed as it is told: other Patients of the person, stays that move, and whose they were. */
function filedApart({ resources, persons, priors, parted, movedStays }: Translation): ReadonlySet<string | undefined> {
  const subject = persons[0]?.resource;
  const moves = movedStays.flatMap(({ person, from, to }) => [from, to, ...(person.resource === subject ? [] : [person.resource])]);
  return new Set([...[...priors, ...parted].map(({ resource }) => resource), ...moves].map((i) => resources[i]?.id));
}

/** What a document from abroad repeats of what is known is proposed, whichever of the two comes first; of what has a new version, proposals are judged again. */
async function reconcile(
  tx: EdgeTx,
  filed: readonly Filed[],
  { translation, sender }: Usable,
  { subject, at }: Place,
  { sha256 }: IngestTools,
): Promise<void> {
  await judgeAgain(
    tx,
    filed.filter(({ changed, versionId }) => changed && versionId > 1).map(({ filing }) => nameOf(filing)),
  );
  if (!isFromAbroad(translation)) {
    const own = filed.filter(({ changed }) => changed).map(({ filing }) => nameOf(filing));
    return proposeRepeated(tx, { person: subject.id, filed: own, at }, sha256);
  }
  const come = filed
    .filter(({ filing, stands }) => filing.personal && !filing.mention && stands === undefined)
    .map(({ filing }) => nameOf(filing));
  await proposeRepeats(tx, { person: subject.id, come, custodian: organisationKey(sender.organisation), at }, sha256);
}

/** Codes that one message asks a person about, at most. */
const MAX_QUESTIONS = 100;

/** The original of a repaired message turned out to be about this person: it is erased with her. */
async function giveOriginal(tx: EdgeTx, { repairs }: Incoming, subject: Subject): Promise<void> {
  const original = repairs === undefined ? undefined : await tx.messages.get(repairs.messageId);
  if (original !== undefined) await tx.keys.assign(original.keyId, subject.id);
}

/** What stands is read at once, and what is new is locked at once. */
async function fileAll(
  tx: EdgeTx,
  filings: readonly Filing[],
  usable: Usable,
  place: Place,
  tools: IngestTools,
): Promise<readonly Filed[]> {
  const standing = await tx.resources.standing(filings);
  const fresh: { filing: Filing; version: Omit<ResourceVersion, 'versionId'> }[] = [];
  const unknown = filings.filter((filing) => !standing.has(nameOf(filing)));
  await refuseMoved(tx, unknown, usable, place, tools);
  for (const filing of unknown) fresh.push({ filing, version: await nextVersion(tx, filing, undefined, place) });
  await tx.resources.lock(fresh.map(({ version }) => version));
  const versions = new Map(fresh.map(({ filing, version }) => [filing, version]));
  const filed: Filed[] = [];
  for (const filing of filings) {
    const version = versions.get(filing);
    const stands = standing.get(`${filing.type}/${filing.id}`);
    if (version !== undefined) filed.push(await fileFirst(tx, filing, version, place));
    else if (stands !== undefined) filed.push(await fileAgain(tx, whole(filing, stands, tools), stands, place, tools));
  }
  return filed;
}

/** A Patient's joining to others stands, whatever its own source says of it afterwards. */
function whole(filing: Filing, { current }: StandingResource, { sha256, index }: IngestTools): Filing {
  if (filing.type !== 'Patient') return filing;
  const [next, standing] = [fromFhirJson(filing.text), fromFhirJson(current.text)];
  if (!isFhirObject(next) || !isFhirObject(standing)) return filing;
  const kept = keptJoined(next, standing);
  return kept === next ? filing : refiled(filing, kept as FhirResource, sha256, index);
}

async function fileFirst(tx: EdgeTx, filing: Filing, version: Omit<ResourceVersion, 'versionId'>, { at }: Place): Promise<Filed> {
  const put = await tx.resources.put(version, filing.search);
  await tx.resources.setAge(filing.type, filing.id, standingAge(filing.age, at));
  return { filing, ...put };
}

/** Of a resource that stands already: a mention replaces nothing, nor does what is older; unchanged content makes no new version. */
async function fileAgain(tx: EdgeTx, filing: Filing, { current, age }: StandingResource, place: Place, tools: IngestTools): Promise<Filed> {
  const { type, id, search, personal } = filing;
  if (personal && isAnothers(current, place.subject)) throw new PortolanError('ingest.entry-of-another-person', type);
  if (wasMovedAway(current) && !namesStay(filing)) throw new PortolanError('ingest.stay-moved', type);
  const unchanged = { filing, versionId: current.versionId, changed: false };
  if (filing.mention) return unchanged;
  const same = current.sha256 === filing.sha256 && !current.deleted;
  if (isOlder(filing.age, age))
    return same ? unchanged : fileBehind(tx, filing, await nextVersion(tx, filing, current, place), current, tools);
  const filed = same ? unchanged : { filing, ...(await tx.resources.put(await nextVersion(tx, filing, current, place), search)) };
  await tx.resources.setAge(type, id, standingAge(filing.age, place.at));
  return filed;
}

/** Versions of one resource among which a late message's content is looked for. */
const MAX_HISTORY = 500;

/**
 * Something newer stands: what the late message says becomes a version of the history, and what stood stands again after it, all in one
 * transaction, so that nobody ever meets the older content as the current one. What the history has already is not filed again.
 */
async function fileBehind(
  tx: EdgeTx,
  filing: Filing,
  next: Omit<ResourceVersion, 'versionId'>,
  current: ResourceVersion,
  tools: IngestTools,
): Promise<Filed> {
  const { type, id } = filing;
  const before = (await tx.resources.history(type, id, MAX_HISTORY)).find(({ sha256 }) => sha256 === filing.sha256);
  if (before !== undefined) return { filing, versionId: before.versionId, changed: false, stands: current.versionId };
  const { versionId } = await tx.resources.put(next, filing.search);
  // Somebody filed a version since this transaction looked, of a resource that belongs to no person: it is done again.
  if (versionId !== current.versionId + 1) throw new PortolanError('store.conflict', `${type} resource`);
  const again = fromFhirJson(current.text);
  const restored = await tx.resources.put(
    { ...current, lastUpdated: next.lastUpdated },
    isFhirObject(again) ? searchValues(again, tools.index) : [],
  );
  return { filing, versionId, changed: false, stands: restored.versionId };
}

/** Of what a person has again, such as a diagnosis: it belongs to another stay now, or that stay itself refuses the message. */
const namesStay = ({ type, text }: Filing): boolean => type !== 'Encounter' && text.includes('"reference":"Encounter/');

import { PortolanError, type Actor } from '@portolan/contracts';
import {
  decideStayMove,
  filingOf,
  isOlder,
  post,
  renamed,
  restedStay,
  sourcePlace,
  standingAge,
  treeOf,
  type Filing,
  type EdgeTx,
  type MovedEntry,
  type ResourceVersion,
  type StandingAge,
} from '@portolan/domain';
import { identifierKey, toFhirJson, type FhirObject, type FhirResource, type MovedStay } from '@portolan/formats';
import { recordLocalAct } from '../local-acts.js';
import { organisationKey } from '../person/proposed-entry.js';
import { judgeAgain } from '../reconciliation/proposals.js';
import { identifiersIn, isAnothers, itemsOf, nameOf, nextVersion, type Filed, type Place, type Usable } from './filed.js';
import { idsUnder } from './ids-under.js';
import { sendingActor, sourceOf, type IngestTools } from './incoming.js';
import { entryOf, type Subject } from './message-subject.js';
import { firstMessageOf } from './sent-by.js';
import { leaveStay, numbersOf, rememberMove, stayKey } from './stay-moves.js';
import { senderOf, whereItGoes, whyLeft, type OthersStay } from './stays-of-others.js';

/** Entries of one record that are looked through; in a larger one nobody can say what refers to a stay. */
export const MAX_RECORD = 20_000;

const NEVER: StandingAge = { content: undefined, sent: undefined };

/** What became of a message's stays: the entries as they stand now, and what they were. */
export interface MovedStays {
  readonly filed: readonly Filed[];
  readonly moved: readonly MovedEntry[];
}

/** Something is moved on the word of a message. */
export interface Job {
  readonly tx: EdgeTx;
  readonly usable: Usable;
  readonly place: Place;
  readonly tools: IngestTools;
  /** The operator who says that what was left goes, too, and why. */
  readonly operator?: { readonly actor: Actor; readonly reason: string };
}

/** A stay as it was found, in whose record. */
export interface Found {
  readonly whose: Pick<Subject, 'id'>;
  readonly record: readonly ResourceVersion[];
  readonly stay: ResourceVersion;
}

/**
 * A stay was another's until now, or stood under another number (HL7 v2 A45, §3.3.45): it goes to the message's person, with what belongs to
 * it, under the ids that this person's messages give. Under the old ids nothing stands any more, whoever was shown it is told, and its history
 * stays with whom it was filed under. Throws `ingest.move-entangled` where what belongs to the stay cannot be told from what else is hers.
 */
export async function moveStays(
  tx: EdgeTx,
  usable: Usable,
  place: Place,
  filings: readonly Filing[],
  tools: IngestTools,
): Promise<MovedStays> {
  const { translation, incoming } = usable;
  const answer = { filed: [] as Filed[], moved: [] as MovedEntry[] };
  for (const told of translation.movedStays) {
    const filing = filings.find(({ type, id }) => type === 'Encounter' && id === translation.resources[told.to]?.id);
    if (filing === undefined) continue;
    const job = { tx, usable, place, tools };
    const one = incoming.again === undefined ? await moveStay(job, told, filing) : { filed: await sayAgain(job, told, filing), moved: [] };
    answer.filed.push(...one.filed);
    answer.moved.push(...one.moved);
  }
  return answer;
}

async function moveStay(job: Job, told: MovedStay, filing: Filing): Promise<MovedStays> {
  const { tx, usable, place, tools } = job;
  const whose = await entryOf(tx, usable.translation, told.person, tools);
  const hers = place.subject.same.includes(whose.id);
  // Nobody heard of her yet: she is known by this number from now on, so that what comes under it is met by what is remembered.
  if (whose.before === undefined && !hers) await tx.persons.save(whose.after);
  await rememberMove(tx, usable, told, whose, place, tools);
  const { own, others, record } = await findStays(job, told, whose);
  const moves = [await moveOwn(job, told, filing, own && { whose, record, stay: own })];
  for (const stay of hers ? [] : others) {
    const gone = new Set(moves.flatMap(({ moved }) => moved.map(({ type, was }) => nameOf({ type, id: was }))));
    const left = record.filter((one) => !gone.has(nameOf(one)));
    if (left.includes(stay)) moves.push(await moveOther(job, told, { whose, record: left, stay }));
  }
  return { filed: moves.flatMap(({ filed }) => filed), moved: moves.flatMap(({ moved }) => moved) };
}

/** What another system sent under the number goes, too, where that is the word of who moves it; what stays is asked of an operator. */
async function moveOther(job: Job, told: MovedStay, found: Found): Promise<MovedStays> {
  const { tx, usable, place, tools } = job;
  const { stay, whose } = found;
  const why = await whyLeft(tx, usable, told, stay, tools);
  const goes = why === undefined ? goesAlong(found) : undefined;
  const to = goes && (await whereItGoes(tx, usable, told, stay, tools));
  if (goes !== undefined && to !== undefined) return moveAlong(job, told, to, found, goes);
  const [number] = numbersOf(usable.translation, told.from);
  if (number !== undefined) {
    const move = { person: whose.id, stay: stayKey(number, organisationKey(usable.sender.organisation), tools) };
    const custodian = await senderOf(tx, stay, tools);
    await leaveStay(tx, { ...move, encounter: stay.id, custodian, why: why ?? 'entangled', at: place.at }, tools);
  }
  return { filed: [], moved: [] };
}

async function moveOwn(job: Job, told: MovedStay, filing: Filing, found: Found | undefined): Promise<MovedStays> {
  if (found === undefined || found.stay.id === filing.id) return { filed: [await fileStay(job, told, filing, [])], moved: [] };
  return job.place.subject.same.includes(found.whose.id) ? renumber(job, told, filing, found) : moveAway(job, told, filing, found);
}

/** What is translated again was acted upon when it came: what it says of a stay is said once more, where that still stands. */
async function sayAgain(job: Job, told: MovedStay, filing: Filing): Promise<readonly Filed[]> {
  const { current } = await standingAt(job.tx, filing, job.place);
  return current === undefined || current.deleted ? [] : [await fileStay(job, told, filing, [])];
}

/** A stay of hers has another number: what refers to it names it by that. */
async function renumber(job: Job, told: MovedStay, filing: Filing, found: Found): Promise<MovedStays> {
  const { stay, record } = found;
  const names = new Map([[nameOf(stay), nameOf(filing)]]);
  const filed = [await fileStay(job, told, filing, [renamed(treeOf(stay.text), names)])];
  for (const one of record) if (one !== stay && one.type !== 'Provenance') filed.push(...(await refileOwn(job, one, names)));
  return { filed, moved: await leave(job, found, [stay], names) };
}

async function moveAway(job: Job, told: MovedStay, filing: Filing, found: Found): Promise<MovedStays> {
  const { tx, usable, place, tools } = job;
  const { stay, record } = found;
  const goes = goesAlong(found);
  if (goes === undefined) throw new PortolanError('ingest.move-entangled', sourcePlace(usable.translation, told.from, 'identifier'));
  const others = goes.filter((one) => one !== stay);
  const patient = usable.translation.resources[usable.translation.persons[0]?.resource ?? -1]?.id ?? place.subject.id;
  const hers = record.filter(({ type }) => type === 'Patient').map((one) => [nameOf(one), `Patient/${patient}`] as const);
  const names = new Map([...hers, ...(await idsUnder(tx, others, patient, tools)), [nameOf(stay), nameOf(filing)]]);
  const filed = [await fileStay(job, told, filing, [renamed(treeOf(stay.text), names)])];
  for (const one of others) filed.push(...(await fileOther(job, one, names)));
  return { filed, moved: await leave(job, found, goes, names) };
}

/** What another system sent under the number goes along, as it is; whoever sent it goes on under the new person, whom it calls by its own id. */
export async function moveAlong(
  job: Job,
  told: MovedStay,
  { patient, filing }: OthersStay,
  found: Found,
  goes: readonly ResourceVersion[],
): Promise<MovedStays> {
  const { tx, usable, place, tools } = job;
  const { stay, record } = found;
  const others = goes.filter((one) => one !== stay);
  const hers = record.filter(({ type }) => type === 'Patient').map((one) => [nameOf(one), nameOf(patient)] as const);
  const names = new Map([...hers, ...(await idsUnder(tx, others, patient.id, tools)), [nameOf(stay), nameOf(filing)]]);
  const filed = (await standingAt(tx, patient, place)).current === undefined ? [await put(tx, patient, undefined, NEVER, place)] : [];
  const before = identifiersIn(usable.translation.resources[told.from] ?? {});
  const said = { identifier: [...identifiersIn(treeOf(filing.text))] };
  const text = toFhirJson(restedStay([treeOf(stay.text), said], before));
  for (const one of goes) filed.push(...(await fileOther(job, one === stay ? { ...stay, text } : one, names)));
  return { filed, moved: await leave(job, found, goes, names) };
}

/** Nothing stands any more where these stood, and whom it concerns is told. */
async function leave(
  job: Job,
  found: Found,
  goes: readonly ResourceVersion[],
  names: ReadonlyMap<string, string>,
): Promise<readonly MovedEntry[]> {
  const { at: lastUpdated, messageId } = job.place;
  for (const one of goes) await job.tx.resources.put({ ...one, lastUpdated, messageId, deleted: true }, []);
  const moved = goes.map((one) => ({ type: one.type, id: idIn(names, one), was: one.id }));
  await job.tx.stayMoves.gone(goes.filter(({ type }) => type === 'Encounter').map(({ id }) => id));
  await tell(job, found, moved);
  return moved;
}

/** Stays under the number in the record of whom the message names: that of the message's own source, and those of others. */
async function findStays(
  { tx, usable: { translation, incoming } }: Job,
  told: MovedStay,
  whose: Subject,
): Promise<{ readonly own: ResourceVersion | undefined; readonly others: readonly ResourceVersion[]; readonly record: Found['record'] }> {
  const record = whose.before === undefined ? [] : await tx.resources.ofPerson(whose.id, 'all', MAX_RECORD);
  if (record.length === MAX_RECORD) throw new PortolanError('ingest.move-entangled', sourcePlace(translation, told.from, 'identifier'));
  const named: FhirObject = translation.resources[told.from] ?? {};
  const stays = record.filter(({ type }) => type === 'Encounter');
  const borne = stays.filter(bears(named));
  const own = stays.find(({ id }) => id === named['id']) ?? (await ofThisSource(tx, incoming.source, borne));
  return { own, others: borne.filter((one) => one !== own), record };
}

const bears = (named: FhirObject): ((stay: ResourceVersion) => boolean) => {
  const numbers = new Set(identifiersIn(named).map(identifierKey));
  return (stay) => identifiersIn(treeOf(stay.text)).some((one) => numbers.has(identifierKey(one)));
};

/** A number is its sender's own: another source may use the same one for another stay. */
async function ofThisSource(tx: EdgeTx, source: string, stays: readonly ResourceVersion[]): Promise<ResourceVersion | undefined> {
  for (const stay of stays) {
    const message = await firstMessageOf(tx, stay);
    if (message !== undefined && sourceOf(message.source) === source) return stay;
  }
  return undefined;
}

/** What belongs to a stay; undefined where it cannot be told from what else is hers. */
export function goesAlong({ stay, record }: Found): readonly ResourceVersion[] | undefined {
  const entries = record.filter(({ type }) => type !== 'Provenance').map((one) => ({ name: nameOf(one), tree: treeOf(one.text) }));
  const decided = decideStayMove(nameOf(stay), entries);
  return decided.kind === 'entangled' ? undefined : record.filter((one) => decided.entries.has(nameOf(one)));
}

/** The stay as the message names it, over what is known of it. */
async function fileStay({ tx, usable, place, tools }: Job, told: MovedStay, filing: Filing, known: readonly FhirObject[]): Promise<Filed> {
  const { translation } = usable;
  const said = translation.resources[told.to] ?? {};
  const { current, age } = await standingAt(tx, filing, place);
  const stands = current === undefined || current.deleted ? [] : [treeOf(current.text)];
  const late = isOlder(filing.age, age);
  const layers = late ? [...known, said, ...stands] : [...known, ...stands, said];
  const tree = known.length + stands.length === 0 ? said : restedStay(layers, identifiersIn(translation.resources[told.from] ?? {}));
  const next = filingOf({ ...tree, resourceType: 'Encounter', id: filing.id }, filing.age, tools);
  return put(tx, next, current, late ? age : standingAge(filing.age, place.at), place);
}

/** What goes along with the stay. Where the person's own messages told of it already, that stands. */
async function fileOther({ tx, place, tools }: Job, one: ResourceVersion, names: ReadonlyMap<string, string>): Promise<readonly Filed[]> {
  const id = idIn(names, one);
  const { current } = await standingAt(tx, { type: one.type, id }, place);
  if (current !== undefined && !current.deleted) return [];
  const resource = { ...renamed(treeOf(one.text), names), resourceType: one.type, id };
  const age = await tx.resources.age(one.type, one.id);
  return [await put(tx, filingOf(resource, { content: undefined, sent: undefined }, tools), current, age, place)];
}

/** What refers to a stay of hers that has another number now. */
async function refileOwn({ tx, place, tools }: Job, one: ResourceVersion, names: ReadonlyMap<string, string>): Promise<readonly Filed[]> {
  const tree = treeOf(one.text);
  const next = renamed(tree, names);
  if (next === tree) return [];
  const age = await tx.resources.age(one.type, one.id);
  const resource: FhirResource = { ...next, resourceType: one.type, id: one.id };
  return [await put(tx, filingOf(resource, { content: undefined, sent: undefined }, tools), one, age, place)];
}

async function standingAt(
  tx: EdgeTx,
  { type, id }: { readonly type: string; readonly id: string },
  { subject }: Place,
): Promise<{ readonly current: ResourceVersion | undefined; readonly age: StandingAge }> {
  const standing = (await tx.resources.standing([{ type, id }])).get(`${type}/${id}`);
  if (standing !== undefined && isAnothers(standing.current, subject)) throw new PortolanError('ingest.entry-of-another-person', type);
  return { current: standing?.current, age: standing?.age ?? NEVER };
}

async function put(tx: EdgeTx, filing: Filing, current: ResourceVersion | undefined, age: StandingAge, place: Place): Promise<Filed> {
  const filed = await tx.resources.put(await nextVersion(tx, filing, current, place), filing.search);
  await tx.resources.setAge(filing.type, filing.id, age);
  return { filing, ...filed };
}

/** Both persons see it, and each receiver of what was another's is told that it is not hers. */
async function tell({ tx, usable, place, tools, operator }: Job, { whose }: Found, moved: readonly MovedEntry[]): Promise<void> {
  const { random, country } = tools;
  const was = moved.map(({ type, was: id }) => ({ type, id }));
  await judgeAgain(tx, was.map(nameOf));
  const { subject, at, messageId } = place;
  const before = { person: whose.id, keyId: await tx.keys.forPerson(whose.id) };
  const about = subject.same.includes(whose.id) ? [] : [{ ...before, items: was }];
  for (const { person, keyId, items } of [...about, { person: subject.id, keyId: subject.keyId, items: moved }]) {
    const act = {
      act: 'stay-moved',
      recorded: at,
      outcome: 'success',
      actor: sendingActor(usable.incoming),
      country: country.code,
      ...operator,
    } as const;
    await recordLocalAct(tx, random, { ...act, items: itemsOf(items) }, { person, keyId });
  }
  const reason = operator
    ? 'an operator says that it belongs to another person'
    : 'its source says that it belongs to another stay or person';
  for (const { type, id } of was) {
    const body = { person: whose.id, type, id, change: 'cancelled', reason } as const;
    await post(tx, { id: random.uuid(), type: 'resource.changed', key: messageId, keyId: before.keyId, body });
  }
}

const idIn = (names: ReadonlyMap<string, string>, { type, id }: ResourceVersion): string =>
  names.get(`${type}/${id}`)?.slice(type.length + 1) ?? id;

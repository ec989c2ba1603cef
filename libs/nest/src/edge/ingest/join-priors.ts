import { PortolanError } from '@portolan/contracts';
import {
  decideMerge,
  fromFhirJson,
  isAssignedElsewhere,
  isFhirObject,
  joinedPatient,
  post,
  refiled,
  samePerson,
  sourcePlace,
  type EdgeTx,
  type Filing,
  type PersonEntry,
} from '@portolan/domain';
import type { FhirResource, PersonTraits } from '@portolan/formats';
import { recordLocalAct } from '../local-acts.js';
import { judgeAgainOf } from '../reconciliation/proposals.js';
import type { Filed, Place, Usable } from './filed.js';
import { sendingActor, type IngestTools } from './incoming.js';
import { entryOf, type Subject } from './message-subject.js';

/**
 * Under which identifiers the message's person was kept before: each such entry of the index, made where nobody knows it yet, is hers from
 * now on, and its Patient says so. Nothing of what the entry holds is moved, so that the joining can be undone. Throws
 * `ingest.merge-conflict` where the two cannot be one person, `ingest.number-of-another-house` where it is not the sender's to say.
 */
export async function joinPriors(
  tx: EdgeTx,
  usable: Usable,
  place: Place,
  filings: readonly Filing[],
  tools: IngestTools,
): Promise<readonly Filed[]> {
  const { translation } = usable;
  refuseNumbersOfOthers(usable, tools);
  const filed: Filed[] = [];
  for (const traits of translation.priors) {
    const prior = await entryOf(tx, translation, traits, tools);
    if (prior.before === undefined || !samePerson(prior.before, prior.after)) await tx.persons.save(prior.after);
    await join(tx, usable, traits, prior, place, tools);
    const filing = filings.find(({ type, id }) => type === 'Patient' && id === translation.resources[traits.resource]?.id);
    if (filing !== undefined) filed.push(await filePrior(tx, filing, prior, place, tools));
  }
  return filed;
}

/**
 * Who bears a number is the word of the organisation that gave it: none that was hers before may be another's, nor all under which she goes on.
 * What is translated again was judged when it came.
 */
function refuseNumbersOfOthers({ translation, incoming }: Usable, { sources }: IngestTools): void {
  const { priors, persons } = translation;
  if (priors.length === 0 || incoming.again !== undefined) return;
  const others = (one: PersonTraits): boolean[] => one.identifiers.map((told) => isAssignedElsewhere(told, incoming.sender, sources));
  const refused = priors.find((one) => others(one).includes(true)) ?? persons.find((one) => !others(one).includes(false));
  if (refused !== undefined)
    throw new PortolanError('ingest.number-of-another-house', sourcePlace(translation, refused.resource, 'identifier'));
}

async function join(
  tx: EdgeTx,
  { translation, incoming }: Usable,
  traits: PersonTraits,
  prior: Subject,
  { messageId, at, subject }: Place,
  tools: IngestTools,
): Promise<void> {
  const [gone, stays] = [await entryIn(tx, prior), await entryIn(tx, subject)];
  const decided = decideMerge(gone, stays, tools.national);
  if (decided.kind === 'refused') throw new PortolanError(decided.code, sourcePlace(translation, traits.resource, 'identifier'));
  if (decided.kind === 'same') return;
  const pair = { prior: gone.survivor, survivor: stays.survivor };
  await tx.persons.merge({ id: tools.random.uuid(), ...pair, messageId, at });
  const { code: country } = tools.country;
  const act = { act: 'person-joined', recorded: at, outcome: 'success', actor: sendingActor(incoming), country } as const;
  await recordLocalAct(tx, tools.random, act, { person: subject.id, keyId: subject.keyId });
  await judgeAgainOf(tx, pair.survivor);
  await post(tx, { id: tools.random.uuid(), type: 'person.joined', key: pair.survivor, keyId: subject.keyId, body: pair });
}

async function entryIn(tx: EdgeTx, { id }: Pick<Subject, 'id'>): Promise<PersonEntry> {
  const entry = await tx.persons.entry(id);
  if (entry === undefined) throw new PortolanError('store.conflict', 'person index');
  return entry;
}

/** The prior Patient keeps what its own messages said of it; the joining is all that this one adds. */
async function filePrior(tx: EdgeTx, filing: Filing, prior: Subject, { messageId, at }: Place, tools: IngestTools): Promise<Filed> {
  const { type, id } = filing;
  const standing = (await tx.resources.standing([{ type, id }])).get(`${type}/${id}`)?.current;
  if (standing?.person !== undefined && !prior.same.includes(standing.person))
    throw new PortolanError('ingest.entry-of-another-person', type);
  const next = standing === undefined ? filing : joinedFiling(filing, standing.text, tools);
  const { sha256, text, categories, search } = next;
  const person = standing?.person ?? prior.id;
  const keyId = person === prior.id ? prior.keyId : await tx.keys.forPerson(person);
  const put = await tx.resources.put(
    { type, id, lastUpdated: at, person, keyId, categories, messageId, sha256, deleted: false, text },
    search,
  );
  return { filing: next, ...put };
}

function joinedFiling(filing: Filing, standing: string, { sha256, index }: IngestTools): Filing {
  const [stands, said] = [fromFhirJson(standing), fromFhirJson(filing.text)];
  if (!isFhirObject(stands) || !isFhirObject(said)) return filing;
  return refiled(filing, joinedPatient(stands, said) as FhirResource, sha256, index);
}

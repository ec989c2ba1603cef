import type { Actor, Instant } from '@portolan/contracts';
import {
  fromFhirJson,
  isFhirObject,
  partedPatient,
  post,
  searchValues,
  toFhirJson,
  type EdgeTx,
  type IndexOptions,
  type PersonId,
  type PersonMerge,
  type ResourceVersion,
} from '@portolan/domain';
import type { EdgeParts } from './edge.parts.js';
import { recordLocalAct } from './local-acts.js';
import { judgeAgainOf } from './reconciliation/proposals.js';

/** What parting two persons needs. */
export interface PartingTools extends Pick<EdgeParts, 'country' | 'random'> {
  /** SHA-256 of a text in UTF-8, hex. */
  readonly sha256Of: (text: string) => string;
  readonly index: IndexOptions;
}

/** Who takes a joining back, why, and when. */
export interface Parting {
  readonly actor: Actor;
  readonly reason: string;
  readonly at: Instant;
}

/** Resources of one person that are looked through for her Patients. */
const MAX_RESOURCES = 20_000;

/**
 * Two persons who were joined are two again: each has what was filed under its own entries, their Patients name each other no more, both are
 * told, and the exchange takes back what was let out meanwhile. False where the merge was undone already.
 */
export async function partPersons(tx: EdgeTx, merge: PersonMerge, { actor, reason, at }: Parting, tools: PartingTools): Promise<boolean> {
  if (!(await tx.persons.undoMerge(merge.id, at))) return false;
  const { prior } = merge;
  // Whoever stands for the survivor now: it may itself have been joined to another since.
  const survivor = (await tx.persons.entry(merge.survivor))?.survivor ?? merge.survivor;
  const [gone, stays] = [await patientsOf(tx, prior), await patientsOf(tx, survivor)];
  for (const [person, own, others] of [
    [prior, gone, stays],
    [survivor, stays, gone],
  ] as const) {
    const items = await part(tx, own, others, at, tools);
    const act = { act: 'person-parted', recorded: at, outcome: 'success', actor, country: tools.country.code, reason, items } as const;
    await recordLocalAct(tx, tools.random, act, { person, keyId: await tx.keys.forPerson(person) });
  }
  for (const person of [prior, survivor]) await judgeAgainOf(tx, person);
  const keyId = await tx.keys.forPerson(survivor);
  await post(tx, { id: tools.random.uuid(), type: 'person.parted', key: merge.id, keyId, body: { survivor, prior, reason } });
  return true;
}

/** Takes from each of these Patients what joins it to `others`; answers with those that changed. */
async function part(
  tx: EdgeTx,
  patients: readonly ResourceVersion[],
  others: readonly ResourceVersion[],
  at: Instant,
  { sha256Of, index }: PartingTools,
): Promise<readonly string[]> {
  const theirs = new Set(others.map(({ id }) => `Patient/${id}`));
  const changed: string[] = [];
  for (const standing of patients) {
    const patient = fromFhirJson(standing.text);
    if (!isFhirObject(patient)) continue;
    const parted = partedPatient(patient, theirs);
    if (parted === patient) continue;
    const text = toFhirJson(parted);
    await tx.resources.put({ ...standing, lastUpdated: at, text, sha256: sha256Of(text) }, searchValues(parted, index));
    changed.push(`Patient/${standing.id}`);
  }
  return changed;
}

async function patientsOf(tx: EdgeTx, person: PersonId): Promise<readonly ResourceVersion[]> {
  return (await tx.resources.ofPerson(person, [], MAX_RESOURCES)).filter(({ type }) => type === 'Patient');
}

import { PortolanError, type Uuid } from '@portolan/contracts';
import {
  fromFhirJson,
  instant,
  isFhirObject,
  partedPatient,
  post,
  searchValues,
  toFhirJson,
  type EdgeTx,
  type PersonId,
  type Principal,
  type ResourceVersion,
} from '@portolan/domain';
import { sha256Hex } from '@portolan/verify';
import type { EdgeParts } from '../edge.parts.js';
import { indexOptions } from '../fhir/index-options.js';
import { recordLocalAct } from '../local-acts.js';
import { operatorActor } from './operator-acts.js';

type Parts = Pick<EdgeParts, 'country' | 'clock' | 'random' | 'sha256' | 'pack' | 'fhirBase'>;

/** Resources of one person that are looked through for her Patients. */
const MAX_RESOURCES = 20_000;

/**
 * Two persons whom a source joined by mistake are two again: each has what was filed under its own entries, their Patients name each other
 * no more, both are told, and the exchange takes back what was let out meanwhile.
 */
export async function undoMerge(
  tx: EdgeTx,
  id: Uuid,
  { principal, reason }: { readonly principal: Principal; readonly reason: string },
  parts: Parts,
): Promise<void> {
  const merge = await tx.persons.mergeOf(id);
  if (merge === undefined) throw new PortolanError('operator.merge-unknown', ':id');
  const at = instant(parts.clock.now());
  if (!(await tx.persons.undoMerge(id, at))) throw new PortolanError('operator.merge-undone', ':id');
  const { prior } = merge;
  // Whoever stands for the survivor now: it may itself have been joined to another since.
  const survivor = (await tx.persons.entry(merge.survivor))?.survivor ?? merge.survivor;
  const actor = operatorActor(principal, parts);
  const [gone, stays] = [await patientsOf(tx, prior), await patientsOf(tx, survivor)];
  for (const [person, own, others] of [
    [prior, gone, stays],
    [survivor, stays, gone],
  ] as const) {
    const items = await part(tx, own, others, at, parts);
    const act = { act: 'person-parted', recorded: at, outcome: 'success', actor, country: parts.country.code, reason, items } as const;
    await recordLocalAct(tx, parts.random, act, { person, keyId: await tx.keys.forPerson(person) });
  }
  const keyId = await tx.keys.forPerson(survivor);
  await post(tx, { id: parts.random.uuid(), type: 'person.parted', key: id, keyId, body: { survivor, prior, reason } });
}

/** Takes from each of these Patients what joins it to `others`; answers with those that changed. */
async function part(
  tx: EdgeTx,
  patients: readonly ResourceVersion[],
  others: readonly ResourceVersion[],
  at: string,
  parts: Parts,
): Promise<readonly string[]> {
  const theirs = new Set(others.map(({ id }) => `Patient/${id}`));
  const changed: string[] = [];
  for (const standing of patients) {
    const patient = fromFhirJson(standing.text);
    if (!isFhirObject(patient)) continue;
    const parted = partedPatient(patient, theirs);
    if (parted === patient) continue;
    const text = toFhirJson(parted);
    const version = { ...standing, lastUpdated: at, text, sha256: sha256Hex(text, parts.sha256) };
    await tx.resources.put(version, searchValues(parted, indexOptions(parts)));
    changed.push(`Patient/${standing.id}`);
  }
  return changed;
}

async function patientsOf(tx: EdgeTx, person: PersonId): Promise<readonly ResourceVersion[]> {
  return (await tx.resources.ofPerson(person, [], MAX_RESOURCES)).filter(({ type }) => type === 'Patient');
}

import { PortolanError } from '@portolan/contracts';
import {
  DATA_CATEGORIES,
  changedElements,
  isFhirObject,
  minimise,
  parseFhirJson,
  type FhirObject,
  type FhirValue,
  type ParsedResource,
} from '@portolan/domain';

/** An entry and what is proposed for it. */
export interface ProposedChange {
  /** The entry's current version. */
  readonly entry: FhirObject;
  /** All current resources of its person, the entry among them. */
  readonly record: readonly FhirObject[];
  /** FHIR JSON text of the entry as the proposer would have it, under the ids by which the record was released. */
  readonly proposal: string;
  /** `Type/id` of what was released → `Type/id` here. */
  readonly sources: ReadonlyMap<string, string>;
}

export interface ProposedVersion {
  readonly resource: FhirObject;
  /** Names of the top-level elements that change. */
  readonly changed: readonly string[];
}

type Resource = Parameters<typeof minimise>[0][number];

/** Ids are ours, local extensions and narratives never crossed: a proposal says nothing about them. */
const OURS: ReadonlySet<string> = new Set(['resourceType', 'id', 'meta', 'text', 'extension', 'contained']);

/**
 * The entry with what the proposer changed of what it saw, and everything else as it stands here: an element that was left out or
 * cleaned when the record was released is no change. Throws `person.proposal-unusable`.
 */
export function proposedVersion({ entry, record, proposal, sources }: ProposedChange): ProposedVersion {
  const wanted = pointedHere(readProposal(proposal), entry, sources);
  if (wanted['resourceType'] !== entry['resourceType'] || wanted['id'] !== entry['id']) throw unusable('another entry');
  // What was judged to repeat another was released before that, or is no more: its proposal is about the entry itself.
  const unlinked = record.filter((one) => one['resourceType'] !== 'Linkage');
  const seen = [
    releasedForm(entry, unlinked),
    releasedForm(entry, record.filter((one) => one['resourceType'] === 'Patient').concat(entry)),
  ];
  const [first = [], ...others] = seen.map((form) => changedElements(form, wanted).filter((name) => !OURS.has(name)));
  const changed = first.filter((name) => others.every((names) => names.includes(name)));
  if (changed.length === 0) throw unusable('nothing changes');
  const kept = Object.fromEntries(Object.entries(entry).filter(([name]) => !changed.includes(name) && name !== 'text'));
  const set = Object.fromEntries(Object.entries(wanted).filter(([name]) => changed.includes(name)));
  return { resource: { ...kept, ...set }, changed };
}

function readProposal(text: string): ParsedResource {
  try {
    return parseFhirJson(text, 'the proposal', 200_000);
  } catch {
    throw unusable('no FHIR resource');
  }
}

/** The entry as it leaves in a release that covers `record`. */
function releasedForm(entry: FhirObject, record: readonly FhirObject[]): FhirObject {
  const released = minimise(record as unknown as readonly Resource[], { categories: DATA_CATEGORIES }, identifiersOf(record));
  const found = released?.resources.find((one) => one.resourceType === entry['resourceType'] && one['id'] === entry['id']);
  if (found === undefined) throw unusable('an entry that is never released');
  return found as unknown as FhirObject;
}

const identifiersOf = (record: readonly FhirObject[]): { system: string; value: string }[] =>
  record
    .filter((one) => one['resourceType'] === 'Patient')
    .flatMap((patient) => (Array.isArray(patient['identifier']) ? patient['identifier'].filter(isFhirObject) : []))
    .flatMap(({ system, value }) => (typeof system === 'string' && typeof value === 'string' ? [{ system, value }] : []));

/** The proposal under the ids of this node; its Patient, whatever the proposer calls her, is the entry's. */
function pointedHere(value: ParsedResource, entry: FhirObject, sources: ReadonlyMap<string, string>): FhirObject {
  const subject = referenceIn(entry['subject'] ?? entry['patient']);
  const source = (reference: string): string => {
    if (reference.startsWith('#')) return reference;
    const found = reference.startsWith('Patient/') ? subject : sources.get(reference);
    if (found === undefined) throw unusable('a reference that leads nowhere');
    return found;
  };
  const pointed = (one: FhirValue): FhirValue => {
    if (Array.isArray(one)) return one.map((item: FhirValue) => pointed(item));
    if (!isFhirObject(one)) return one;
    const members = Object.entries(one).map(([key, inner]): [string, FhirValue] => [
      key,
      key === 'reference' && typeof inner === 'string' ? source(inner) : pointed(inner),
    ]);
    return Object.fromEntries(members);
  };
  const { resourceType, id } = value;
  const own = typeof id === 'string' ? sources.get(`${resourceType}/${id}`)?.split('/')[1] : undefined;
  return { ...(pointed(value) as FhirObject), ...(own === undefined ? {} : { id: own }) };
}

const referenceIn = (value: FhirValue | undefined): string | undefined =>
  value !== undefined && isFhirObject(value) && typeof value['reference'] === 'string' ? value['reference'] : undefined;

const unusable = (detail: string): PortolanError => new PortolanError('person.proposal-unusable', 'the proposal', detail);

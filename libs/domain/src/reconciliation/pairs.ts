import { stableUuid, type FhirResource, type Sha256Hex, type Translation } from '@portolan/formats';
import { keyOf } from '../release/references.js';
import type { Resource } from '../release/resource.js';
import { placesOf, RECONCILED, saysTheSame, type Find } from './says-the-same.js';

/** LOINC code of a patient summary as a document. */
const PATIENT_SUMMARY = '60591-5';

/**
 * Whether a message is a document that retells what others know, which is how a summary from abroad comes: a FHIR document with its Composition, or
 * a MyHealth@EU patient summary (CDA). It is told by its form, since nothing in a document says reliably in which country it was made.
 */
export function isFromAbroad({ format, message }: Pick<Translation, 'format'> & { readonly message: { readonly type: string } }): boolean {
  return format === 'fhir' ? /^\d{1,6}-\d$/.test(message.type) : format === 'cda' && message.type === PATIENT_SUMMARY;
}

/** Two entries of one record of which one may repeat the other, each by its `Type/id`. */
export interface EntryPair {
  /** What the record held already: it is shown where both are judged the same. */
  readonly known: string;
  readonly come: string;
}

/** Proposals of one document, at most; of one entry of it; and entries with which one is compared. */
export const MAX_PAIRS = 500;
const MAX_EACH = 10;
const MAX_COMPARED = 50;

/** Id of a pair, whichever of the two came first. */
export const pairId = ({ known, come }: EntryPair, sha256: Sha256Hex): string =>
  stableUuid(sha256, ['reconciliation', ...[known, come].toSorted()]);

/** Finds a resource of a record by `Type/id`. */
export function findIn(record: readonly Resource[]): Find {
  const byKey = new Map(record.map((one) => [keyOf(one), one]));
  return (reference) => byKey.get(reference);
}

/**
 * Entries that came (`Type/id`), each with what the record held already that says the same, `among` these alone, in a stable order. Those that came together are not
 * compared with each other: a document that says a thing twice has its reason.
 */
export function proposedPairs(
  record: readonly Resource[],
  come: ReadonlySet<string>,
  among: (entry: string) => boolean = () => true,
): readonly EntryPair[] {
  const compared = record.filter(({ resourceType }) => RECONCILED.has(resourceType)).toSorted(byKey);
  const find = findIn(record);
  const known = new Map<string, Resource[]>();
  for (const one of compared.filter((each) => !come.has(keyOf(each)) && among(keyOf(each)))) {
    for (const place of placesOf(one, find)) {
      const there = known.get(place);
      if (there === undefined) known.set(place, [one]);
      else there.push(one);
    }
  }
  const pairs: EntryPair[] = [];
  for (const newcomer of compared.filter((each) => come.has(keyOf(each)))) {
    if (pairs.length >= MAX_PAIRS) break;
    const near = new Set(placesOf(newcomer, find).flatMap((place) => known.get(place) ?? []));
    const same = [...near].slice(0, MAX_COMPARED).filter((one) => saysTheSame(one, newcomer, find));
    pairs.push(...same.slice(0, MAX_EACH).map((one) => ({ known: keyOf(one), come: keyOf(newcomer) })));
  }
  return pairs.slice(0, MAX_PAIRS);
}

const byKey = (a: Resource, b: Resource): number => (keyOf(a) < keyOf(b) ? -1 : keyOf(a) > keyOf(b) ? 1 : 0);

/** Whether both entries of a pair stand in this record, and say the same. */
export function standingIn(record: readonly Resource[]): (pair: EntryPair) => boolean {
  const find = findIn(record);
  return ({ known, come }) => {
    const [one, other] = [find(known), find(come)];
    return one !== undefined && other !== undefined && saysTheSame(one, other, find);
  };
}

/** Who judged a pair. */
export interface Judge {
  readonly id: { readonly system: string; readonly value: string };
  readonly name: string;
}

/**
 * FHIR R4 Linkage of a pair that somebody judged: `source` is shown, `alternate` repeats it. Not active where the judgement was taken back. Its id
 * is the pair's.
 */
export function linkageOf({ known, come }: EntryPair, id: string, by: Judge, active: boolean): FhirResource {
  return {
    resourceType: 'Linkage',
    id,
    active,
    author: { identifier: { system: by.id.system, value: by.id.value }, display: by.name },
    item: [
      { type: 'source', resource: { reference: known } },
      { type: 'alternate', resource: { reference: come } },
    ],
  };
}

import { toFhirJson, type FhirResource, type Sha256Hex, type Translation } from '@portolan/formats';
import type { DataCategory } from '@portolan/contracts';
import { searchValues, type IndexOptions, type SearchValue } from '../fhir/index.js';
import { agesOf, type Age } from './age.js';
import { categoriesOf, isTakenBack } from '../release/index.js';

/** One resource of a translation as it goes into the store. */
export interface Filing {
  readonly type: string;
  readonly id: string;
  /** Exact JSON text; decimals with their digits. */
  readonly text: string;
  /** SHA-256 of the text, hex. */
  readonly sha256: string;
  readonly categories: readonly DataCategory[];
  readonly search: readonly SearchValue[];
  /** Its source says that it was entered in error. */
  readonly takenBack: boolean;
  /** Belongs to the message's person: kept under her key, erased with her. */
  readonly personal: boolean;
  /** How old this is, by the message's own word. */
  readonly age: Age;
  /** The message only mentions it: it fills a gap, and replaces nothing that is known. */
  readonly mention: boolean;
}

/** Of many persons' records, and of none: who acted and where. */
const shared: ReadonlySet<string> = new Set(['Location', 'Organization', 'Practitioner', 'PractitionerRole']);

/** What a translation files, ordered by type and id: writers of the same resources lock them in one order. */
export function filingsOf(translation: Translation, sha256: Sha256Hex, index: IndexOptions): readonly Filing[] {
  const mentioned = new Set(translation.mentions);
  const ages = agesOf(translation);
  return translation.resources
    .map((resource, i) => ({
      type: resource.resourceType,
      id: resource.id,
      ...contentOf(resource, sha256, index),
      personal: !shared.has(resource.resourceType),
      age: ages[i] ?? { content: undefined, sent: undefined },
      mention: mentioned.has(i),
    }))
    .toSorted((a, b) => compare(a.type, b.type) || compare(a.id, b.id));
}

/** One resource of a person's record, as it goes into the store. */
export const filingOf = (
  resource: FhirResource,
  age: Age,
  { sha256, index }: { readonly sha256: Sha256Hex; readonly index: IndexOptions },
): Filing => ({
  type: resource.resourceType,
  id: resource.id,
  ...contentOf(resource, sha256, index),
  personal: true,
  age,
  mention: false,
});

/** The same resource with other content. */
export const refiled = (filing: Filing, resource: FhirResource, sha256: Sha256Hex, index: IndexOptions): Filing => ({
  ...filing,
  ...contentOf(resource, sha256, index),
});

/** What follows from a resource's content alone. */
function contentOf(
  resource: FhirResource,
  sha256: Sha256Hex,
  index: IndexOptions,
): Pick<Filing, 'text' | 'sha256' | 'categories' | 'search' | 'takenBack'> {
  const text = toFhirJson(resource);
  return {
    text,
    sha256: sha256(new TextEncoder().encode(text)),
    categories: categoriesOf(resource),
    search: searchValues(resource, index),
    takenBack: isTakenBack(resource),
  };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * Where the message says an element of one of its resources, such as `PID[1]-7` for a birth date; the resource's own name for what no
 * value of the message gave.
 */
export function sourcePlace(translation: Translation, resource: number, element: string): string {
  const said = translation.provenance.find((one) => one.resource === resource && one.path.startsWith(element));
  return said?.source ?? `${translation.resources[resource]?.resourceType ?? 'message'}.${element}`;
}

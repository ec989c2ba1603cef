import { fromFhirJson, isFhirObject, toFhirJson, type FhirObject } from '@portolan/formats';
import type { BundleLink, OperationOutcome } from '../fhir-types.js';
import { SUBSET_ELEMENTS } from './subset-elements.js';
import { isSearchable } from './search-parameters.js';
import type { SearchQuery } from './search-query.js';
import type { SearchValue } from './search-value.js';

/** A stored resource: exact JSON text, which goes into the answer as it is. */
export interface SearchEntry {
  readonly type: string;
  readonly id: string;
  readonly text: string;
}

export interface SearchsetInput {
  /** FHIR base URL of the node, without slash at the end. */
  readonly base: string;
  /** The parsed query; undefined for operations that answer with a searchset (`$match`) and have neither pages nor subsets. */
  readonly query?: SearchQuery;
  readonly matches: readonly SearchEntry[];
  readonly included?: readonly SearchEntry[];
  readonly next?: string | undefined;
  readonly total?: number | undefined;
  /** Said to the client beside the matches, e.g. that parameters were ignored. */
  readonly outcome?: OperationOutcome;
}

/**
 * FHIR JSON text of a searchset Bundle (R4 §3.1.1.5, §Bundle). Resources are spliced in as stored, so digits and bytes stay;
 * only `_summary` and `_elements` write them anew, marked SUBSETTED.
 */
export function searchset(input: SearchsetInput): string {
  const { base, query, matches, included = [], outcome } = input;
  const entries = [
    ...matches.map((entry) => entryText(base, entry, searchSubset(entry.text, query), 'match')),
    ...included.map((entry) => entryText(base, entry, entry.text, 'include')),
    ...(outcome === undefined ? [] : [`{"resource":${JSON.stringify(outcome)},"search":{"mode":"outcome"}}`]),
  ];
  const members = [
    '"resourceType":"Bundle","type":"searchset"',
    ...(input.total === undefined ? [] : [`"total":${input.total}`]),
    ...(query === undefined ? [] : [`"link":${JSON.stringify(linksOf(base, query, input.next))}`]),
    ...(entries.length === 0 ? [] : [`"entry":[${entries.join(',')}]`]),
  ];
  return `{${members.join(',')}}`;
}

function entryText(base: string, { type, id }: SearchEntry, text: string, mode: 'match' | 'include'): string {
  return `{"fullUrl":${JSON.stringify(`${base}/${type}/${id}`)},"resource":${text},"search":{"mode":"${mode}"}}`;
}

/** The self link repeats the parameters in force; the next link adds the page token. */
function linksOf(base: string, query: SearchQuery, next: string | undefined): readonly BundleLink[] {
  const address = (extra: readonly (readonly [string, string])[]): string => {
    const pairs = [...query.self, ...extra].map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
    return `${base}/${query.type}${pairs.length === 0 ? '' : `?${pairs.join('&')}`}`;
  };
  const self: BundleLink = { relation: 'self', url: address([]) };
  return next === undefined ? [self] : [self, { relation: 'next', url: address([['_cursor', next]]) }];
}

/** What to fetch besides the matches: the resources of this node that their `_include` references name, each once. */
export function includedBy(
  query: SearchQuery,
  matches: readonly { values: readonly SearchValue[] }[],
): readonly { type: string; id: string }[] {
  const wanted = new Map<string, { type: string; id: string }>();
  for (const value of matches.flatMap((match) => match.values)) {
    if (value.kind !== 'reference' || value.type === undefined || value.id === undefined) continue;
    const { param, type, id } = value;
    const asked = query.include.some((one) => one.param === param && (one.target === undefined || one.target === type));
    if (asked) wanted.set(`${type}/${id}`, { type, id });
  }
  return [...wanted.values()];
}

const ALWAYS = ['resourceType', 'id', 'meta', 'implicitRules', 'language'];
const SUBSETTED = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' };

/** The text of a resource as `_summary` or `_elements` want it (R4 §3.1.1.5.8, §3.1.1.5.9); unchanged where they want all. */
export function searchSubset(text: string, query: Pick<SearchQuery, 'summary' | 'elements'> | undefined): string {
  if (query === undefined || (query.summary === 'false' && query.elements === undefined)) return text;
  const resource = fromFhirJson(text);
  if (!isFhirObject(resource)) return text;
  const type = resource['resourceType'];
  const keep = keeper(typeof type === 'string' ? type : '', query);
  const kept = Object.fromEntries(Object.entries(resource).filter(([name]) => keep(name.replace(/^_/, ''))));
  return toFhirJson({ ...kept, meta: marked(resource['meta']) });
}

function marked(meta: FhirObject[string] | undefined): FhirObject {
  const known = isFhirObject(meta) ? meta : {};
  const tags = Array.isArray(known['tag']) ? known['tag'] : [];
  return { ...known, tag: [...tags, SUBSETTED] };
}

function keeper(type: string, { summary, elements }: Pick<SearchQuery, 'summary' | 'elements'>): (name: string) => boolean {
  const table = isSearchable(type) ? SUBSET_ELEMENTS[type] : { mandatory: [], summary: [] };
  if (summary === 'data') return (name) => name !== 'text';
  const wanted = summary === 'true' ? table.summary : summary === 'text' ? ['text'] : (elements ?? []);
  const names = [...ALWAYS, ...table.mandatory, ...wanted];
  const exact = new Set(names);
  const choices = names.filter((name) => name.endsWith('[x]')).map((name) => name.slice(0, -3));
  return (name) => exact.has(name) || choices.some((choice) => isChoice(choice, name)) || (elements ?? []).some((e) => isChoice(e, name));
}

/** `valueQuantity` is a form of `value[x]`. */
const isChoice = (choice: string, name: string): boolean => name.startsWith(choice) && /^[A-Z]/.test(name.slice(choice.length));

import { stableUuid, type Sha256Hex } from '@portolan/formats';
import type { CountryCode } from '@portolan/contracts';
import type { Minimised } from './minimise.js';
import { keyOf, literalReferences } from './references.js';
import { isObject, list, text, type Json, type JsonObject, type Resource } from './resource.js';
import { sectionOf } from './sections.js';
import { shownTime } from './clinical-time.js';

/** A resource as it stands in a released Bundle. */
export interface Entry {
  /** `Type/id` at the custodian. */
  readonly source: string;
  readonly fullUrl: string;
  readonly resource: Resource;
}

export interface Entries {
  readonly patient: Entry;
  /** What a section can show, newest first. */
  readonly shown: readonly Entry[];
  /** Supporting resources that something shown refers to. */
  readonly supports: readonly Entry[];
}

const newestFirst = (a: Resource, b: Resource): number =>
  compare(shownTime(b) ?? '', shownTime(a) ?? '') || compare(text(a, 'id') ?? '', text(b, 'id') ?? '');
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * Gives each resource an id that depends on custodian and source id alone, and points all references at these. `root`: `Type/id` of what a
 * document is about, which stands in it even where no section shows it.
 */
export function entriesOf(minimised: Minimised, custodian: CountryCode, sha256: Sha256Hex, root?: string): Entries {
  const all = [minimised.patient, ...minimised.resources];
  const ids = new Map(all.map((r) => [keyOf(r), stableUuid(sha256, [custodian, keyOf(r)])]));
  const entry = (resource: Resource): Entry => {
    const source = keyOf(resource);
    const id = ids.get(source) ?? '';
    const { resourceType, id: _id, ...elements } = resource;
    return { source, fullUrl: `urn:uuid:${id}`, resource: { resourceType, id, ...pointed(elements, ids) } };
  };
  const shown = minimised.resources.filter((r) => sectionOf(r) !== undefined).toSorted(newestFirst);
  const roots = minimised.resources.filter((r) => keyOf(r) === root);
  const supports = reachable([...shown, ...roots], minimised.resources).filter((r) => sectionOf(r) === undefined);
  return { patient: entry(minimised.patient), shown: shown.map(entry), supports: supports.map(entry) };
}

/** Resources that can be reached from `roots` over literal references, in a stable order. */
function reachable(roots: readonly Resource[], all: readonly Resource[]): readonly Resource[] {
  const byKey = new Map(all.map((r) => [keyOf(r), r]));
  const seen = new Set<string>();
  const queue = [...roots];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    if (seen.has(keyOf(next))) continue;
    seen.add(keyOf(next));
    queue.push(...literalReferences(next).flatMap(({ target }) => byKey.get(target) ?? []));
  }
  return all.filter((r) => seen.has(keyOf(r))).toSorted((a, b) => compare(keyOf(a), keyOf(b)));
}

function pointed(object: JsonObject, ids: ReadonlyMap<string, string>): JsonObject {
  const entries = Object.entries(object).map(([key, value]): [string, Json] => [key, pointedValue(value, ids)]);
  return Object.fromEntries(entries);
}

function pointedValue(value: Json, ids: ReadonlyMap<string, string>): Json {
  if (Array.isArray(value)) return list(value).map((item) => pointedValue(item, ids));
  if (!isObject(value)) return value;
  const id = ids.get(text(value, 'reference') ?? '');
  return id === undefined ? pointed(value, ids) : { ...pointed(value, ids), reference: `urn:uuid:${id}` };
}

import { PortolanError } from '@portolan/contracts';
import { matchesSearch } from './match-search.js';
import type { SearchQuery, SortKey } from './search-query.js';
import type { SearchValue } from './search-value.js';

/** What can be searched without a database: an id and its rows. */
export interface Searchable {
  readonly id: string;
  readonly values: readonly SearchValue[];
}

export interface SearchPage<T> {
  readonly matches: readonly T[];
  /** Token of the next page; undefined on the last. */
  readonly next: string | undefined;
  /** All matches; undefined where the query asks for no total. */
  readonly total: number | undefined;
}

/**
 * Token for the page behind the match `lastId`. It says which search it belongs to and which resource came last, and
 * nothing of a record: a token stands in addresses, and addresses in logs. The store finds the sort values of that id again.
 */
export function pageToken(query: SearchQuery, lastId: string): string {
  return btoa(`${fingerprint(query)}.${lastId}`)
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '');
}

const TOKEN = /^([0-9a-z]{1,7})\.([A-Za-z0-9.-]{1,64})$/;

/** The id in a page token. Throws `fhir.page-unknown` where it was made for another search, or by nobody. */
export function positionOf(query: SearchQuery, token: string): string {
  const [, print, id] = TOKEN.exec(decoded(token)) ?? [];
  if (id === undefined || print !== fingerprint(query)) throw new PortolanError('fhir.page-unknown', `${query.type}?_cursor`);
  return id;
}

function decoded(token: string): string {
  try {
    return atob(token.replaceAll('-', '+').replaceAll('_', '/'));
  } catch {
    return '';
  }
}

/** FNV-1a of what selects and orders: it tells searches apart and protects nothing. */
function fingerprint({ type, clauses, sort }: SearchQuery): string {
  let hash = 0x811c9dc5;
  for (const c of JSON.stringify([type, clauses, sort])) hash = Math.imul(hash ^ (c.codePointAt(0) ?? 0), 0x01000193);
  return (hash >>> 0).toString(36);
}

/** The page of `query` among `candidates` (views, and the measure of every store's search). */
export function searchInMemory<T extends Searchable>(query: SearchQuery, candidates: readonly T[]): SearchPage<T> {
  const found = candidates.filter((one) => matchesSearch(query, one.values)).sort((a, b) => compare(query.sort, a, b));
  const total = query.total === 'none' ? undefined : found.length;
  if (query.count === 0) return { matches: [], next: undefined, total };
  const start = query.after === undefined ? 0 : behind(found, query, candidates);
  const page = found.slice(start, start + query.count);
  const last = page.at(-1);
  return { matches: page, next: last !== undefined && start + page.length < found.length ? pageToken(query, last.id) : undefined, total };
}

/** Index of the first match behind the one that `query.after` names, which may have left the matches meanwhile. */
function behind<T extends Searchable>(found: readonly T[], query: SearchQuery, candidates: readonly T[]): number {
  const last = candidates.find((one) => one.id === query.after);
  const next = last === undefined ? -1 : found.findIndex((one) => compare(query.sort, one, last) > 0);
  return next < 0 ? found.length : next;
}

/** Order of a page: the sort keys, resources without a value last either way, then the id. */
function compare(sort: readonly SortKey[], a: Searchable, b: Searchable): number {
  for (const key of sort) {
    const [x, y] = [sortValue(key, a.values), sortValue(key, b.values)];
    if (x === y) continue;
    if (x === undefined) return 1;
    if (y === undefined) return -1;
    return x < y === key.descending ? 1 : -1;
  }
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

/** What a resource sorts by: its lowest value going up, its highest going down (R4 §3.1.1.5.2). */
function sortValue({ param, descending }: SortKey, values: readonly SearchValue[]): string | number | undefined {
  const found = values.filter((value) => value.param === param).map(scalarOf);
  const known = found.filter((value) => value !== undefined);
  return known.reduce<string | number | undefined>(
    (best, one) => (best === undefined || one < best !== descending ? one : best),
    undefined,
  );
}

/** The one value of a row that orders it: compared by code units, as PostgreSQL's collation "C" does for ASCII. */
export function scalarOf(value: SearchValue): string | number | undefined {
  switch (value.kind) {
    case 'token':
      return value.code;
    case 'date':
      return value.start ?? value.end;
    case 'string':
      return value.normal;
    case 'reference':
      return value.id ?? value.url ?? value.code;
    case 'uri':
      return value.uri;
    default:
      return value.low ?? value.high;
  }
}

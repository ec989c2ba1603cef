import { pageToken, type SearchQuery, type SortKey } from '@portolan/domain';
import { Parameters } from '../../connect/parameters.js';
import type { Sql } from '../../connect/sql.js';
import { clauseSql } from './search-clauses.js';

/** Page of a search: ids in order, token of the next page, count of all matches where asked for. */
export interface SearchIds {
  readonly ids: readonly string[];
  readonly next: string | undefined;
  readonly total: number | undefined;
}

/** The page of `query`, as `searchInMemory` of the domain defines it. */
export async function searchIds(sql: Sql, query: SearchQuery): Promise<SearchIds> {
  const total = query.total === 'none' ? undefined : await countMatches(sql, query);
  if (query.count === 0) return { ids: [], next: undefined, total };
  const { text, values } = pageSql(query);
  const rows = await sql.rows<{ id: string }>(text, values);
  const ids = rows.slice(0, query.count).map(({ id }) => id);
  const last = ids.at(-1);
  return { ids, next: last !== undefined && rows.length > query.count ? pageToken(query, last) : undefined, total };
}

async function countMatches(sql: Sql, query: SearchQuery): Promise<number> {
  const parameters = new Parameters();
  const row = await sql.first<{ count: string }>(
    `SELECT count(*) AS count FROM resource r WHERE ${matchSql(query, parameters)}`,
    parameters.values,
  );
  return Number(row?.count);
}

/** One statement: the matches with their sort values, behind the resource that `after` names, one more than the page holds. */
export function pageSql(query: SearchQuery): { text: string; values: readonly unknown[] } {
  const parameters = new Parameters();
  const matches = matchSql(query, parameters);
  const keys = query.sort.map((key, i) => `${sortSql(key, 'r', parameters)} AS k${i}`);
  const order = [...query.sort.map((key, i) => `m.k${i} ${key.descending ? 'DESC' : 'ASC'} NULLS LAST`), 'm.id'].join(', ');
  const from = `SELECT ${['r.id', ...keys].join(', ')} FROM resource r WHERE ${matches}`;
  const behind = query.after === undefined ? '' : `JOIN (${anchorSql(query, query.after, parameters)}) a ON ${behindSql(query.sort)}`;
  const limit = parameters.add(query.count + 1, '::integer');
  return { text: `SELECT m.id FROM (${from}) m ${behind} ORDER BY ${order} LIMIT ${limit}`, values: parameters.values };
}

function matchSql({ type, clauses }: SearchQuery, parameters: Parameters): string {
  const live = `r.type = ${parameters.add(type, '::text')} AND NOT r.deleted AND NOT r.erased`;
  return [live, ...clauses.map((clause) => clauseSql(clause, parameters))].join(' AND ');
}

/** The resource that came last on the page before, with its sort values as they are now: it may have left the matches. */
function anchorSql({ type, sort }: SearchQuery, after: string, parameters: Parameters): string {
  const keys = sort.map((key, i) => `${sortSql(key, 'l', parameters)} AS k${i}`);
  const row = `l.type = ${parameters.add(type, '::text')} AND l.id = ${parameters.add(after, '::text')} AND NOT l.deleted AND NOT l.erased`;
  return `SELECT ${['l.id', ...keys].join(', ')} FROM resource l WHERE ${row}`;
}

/** `m` stands behind `a`: at the first key in which they differ, or by id. What has no value stands last. */
function behindSql(sort: readonly SortKey[]): string {
  const alternatives = sort.map((key, i) => {
    const equal = sort.slice(0, i).map((_, j) => `m.k${j} IS NOT DISTINCT FROM a.k${j}`);
    const beyond = `(m.k${i} ${key.descending ? '<' : '>'} a.k${i} OR (m.k${i} IS NULL AND a.k${i} IS NOT NULL))`;
    return [...equal, beyond].join(' AND ');
  });
  const same = [...sort.map((_, i) => `m.k${i} IS NOT DISTINCT FROM a.k${i}`), 'm.id > a.id'].join(' AND ');
  return [...alternatives, same].map((one) => `(${one})`).join(' OR ');
}

/** The lowest value going up, the highest going down (R4 section 3.1.1.5.2). */
function sortSql({ param, kind, descending }: SortKey, resource: string, parameters: Parameters): string {
  const rows = `v.type = ${resource}.type AND v.resource_id = ${resource}.id AND v.param = ${parameters.add(param, '::text')}`;
  return `(SELECT ${descending ? 'max' : 'min'}(${SORT_VALUE[kind]}) FROM search_value v WHERE ${rows})`;
}

/** As `scalarOf` of the domain. An open end is no value to sort by. */
const SORT_VALUE: Readonly<Record<SortKey['kind'], string>> = {
  token: 'v.code',
  date: `coalesce(nullif(v.start_at, '-infinity'), nullif(v.end_at, 'infinity'))`,
  string: 'v.normal',
  reference: 'coalesce(v.ref_id, v.url, v.code)',
  quantity: `coalesce(nullif(v.low, '-Infinity'), nullif(v.high, 'Infinity'))`,
  number: `coalesce(nullif(v.low, '-Infinity'), nullif(v.high, 'Infinity'))`,
  uri: 'v.uri',
};

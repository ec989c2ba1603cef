import type { DateCriterion, QuantityCriterion, ReferenceCriterion, SearchClause, SearchPrefix, TokenCriterion } from '@portolan/domain';

import type { Parameters } from '../../connect/parameters.js';

/** The characters of a long text that its index holds; the whole text is compared besides. Four bytes each stay far below a page. */
const INDEXED = 100;

/** `column = value` in the form that the index of its first characters serves. */
function equals(column: string, value: string, parameters: Parameters): string {
  const parameter = parameters.add(value, '::text');
  return `left(v.${column}, ${INDEXED}) = left(${parameter}, ${INDEXED}) AND v.${column} = ${parameter}`;
}

/** SQL that holds for the resource `r` where `matchesSearch` of the domain holds for its rows. */
export function clauseSql(clause: SearchClause, parameters: Parameters): string {
  const rows = (condition: string): string =>
    `EXISTS (SELECT FROM search_value v WHERE v.type = r.type AND v.resource_id = r.id AND v.param = ${param} AND ${condition})`;
  const param = parameters.add(clause.param, '::text');
  if (clause.kind === 'missing') return `${clause.missing ? 'NOT ' : ''}${rows('true')}`;
  const fits = rows(criteriaSql(clause, parameters));
  return clause.kind === 'token' && clause.not ? `NOT ${fits}` : fits;
}

/** What one row `v` must be. */
function criteriaSql(clause: Exclude<SearchClause, { kind: 'missing' }>, parameters: Parameters): string {
  switch (clause.kind) {
    case 'token':
      return `v.kind = 'token' AND ${any(clause.any, (one) => token(one, parameters))}`;
    case 'date':
      return `v.kind = 'date' AND ${any(clause.any, (one) => date(one, parameters))}`;
    case 'string':
      return `v.kind = 'string' AND ${any(clause.any, (text) => string(clause.mode, text, parameters))}`;
    case 'reference':
      return `v.kind = 'reference' AND ${any(clause.any, (one) => reference(one, parameters))}`;
    case 'quantity':
    case 'number':
      return `v.kind IN ('quantity', 'number') AND ${any(clause.any, (one) => quantity(one, parameters))}`;
    case 'uri':
      return `v.kind = 'uri' AND ${any(clause.any, (uri) => equals('uri', uri, parameters))}`;
  }
}

function any<T>(criteria: readonly T[], condition: (one: T) => string): string {
  return criteria.length === 0 ? 'false' : `(${criteria.map((one) => `(${condition(one)})`).join(' OR ')})`;
}

function token({ system, code }: TokenCriterion, parameters: Parameters): string {
  const ofCode = code === undefined ? 'v.code IS NOT NULL' : equals('code', code, parameters);
  if (system === undefined) return ofCode;
  return `${ofCode} AND ${system === null ? 'v.system IS NULL' : equals('system', system, parameters)}`;
}

function date({ prefix, start, end }: DateCriterion, parameters: Parameters): string {
  const from = (): string => parameters.add(start, '::timestamptz');
  const to = (): string => parameters.add(end, '::timestamptz');
  return prefixSql(prefix, {
    within: () => `v.start_at >= ${from()} AND v.end_at <= ${to()}`,
    above: () => `v.end_at > ${to()}`,
    below: () => `v.start_at < ${from()}`,
    after: () => `v.start_at >= ${to()}`,
    before: () => `v.end_at <= ${from()}`,
  });
}

function quantity({ prefix, value, low, high, unit }: QuantityCriterion, parameters: Parameters): string {
  const number = (of: number): string => parameters.add(of, '::double precision');
  const exactly = prefix === 'eq' || prefix === 'ne';
  const compared = prefixSql(prefix, {
    within: () =>
      exactly ? `v.low >= ${number(low)} AND v.high < ${number(high)}` : `v.low = ${number(value)} AND v.high = ${number(value)}`,
    above: () => `v.high > ${number(value)}`,
    below: () => `v.low < ${number(value)}`,
    after: () => `v.low > ${number(value)}`,
    before: () => `v.high < ${number(value)}`,
  });
  return unit === undefined ? compared : `(${compared}) AND ${unitSql(unit, parameters)}`;
}

function unitSql({ system, code }: { system: string | undefined; code: string }, parameters: Parameters): string {
  const wanted = parameters.add(code, '::text');
  if (system !== undefined) return `v.system = ${parameters.add(system, '::text')} AND v.code = ${wanted}`;
  return `(v.code = ${wanted} OR v.unit = ${wanted})`;
}

type Comparison = 'within' | 'above' | 'below' | 'after' | 'before';

/** R4 section 3.1.1.4.5, as the domain's prefixHolds. Only what the prefix needs is written: each parameter must be used. */
function prefixSql(prefix: SearchPrefix, sql: Readonly<Record<Comparison, () => string>>): string {
  switch (prefix) {
    case 'eq':
      return sql.within();
    case 'ne':
      return `NOT (${sql.within()})`;
    case 'gt':
      return sql.above();
    case 'lt':
      return sql.below();
    case 'ge':
      return `${sql.above()} OR (${sql.within()})`;
    case 'le':
      return `${sql.below()} OR (${sql.within()})`;
    case 'sa':
      return sql.after();
    case 'eb':
      return sql.before();
  }
}

function string(mode: 'starts' | 'exact' | 'contains', text: string, parameters: Parameters): string {
  if (mode === 'exact') return `v.text = ${parameters.add(text, '::text')}`;
  const wanted = parameters.add(text, '::text');
  if (mode === 'contains') return `strpos(v.normal, ${wanted}) > 0`;
  return `left(v.normal, ${INDEXED}) ^@ left(${wanted}, ${INDEXED}) AND v.normal ^@ ${wanted}`;
}

function reference(criterion: ReferenceCriterion, parameters: Parameters): string {
  switch (criterion.by) {
    case 'id':
      return `v.ref_id = ${parameters.add(criterion.id, '::text')}${criterion.type === undefined ? '' : ` AND v.ref_type = ${parameters.add(criterion.type, '::text')}`}`;
    case 'url':
      return equals('url', criterion.url, parameters);
    case 'identifier':
      return token(criterion.identifier, parameters);
  }
}

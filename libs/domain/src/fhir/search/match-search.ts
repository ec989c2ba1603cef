import type {
  DateCriterion,
  SearchPrefix,
  QuantityCriterion,
  ReferenceCriterion,
  SearchClause,
  SearchQuery,
  TokenCriterion,
} from './search-query.js';
import type { DateValue, QuantityValue, ReferenceValue, SearchValue, StringValue } from './search-value.js';

/** Whether the resource with these search rows fits all clauses. The definition that a database must agree with. */
export function matchesSearch(query: Pick<SearchQuery, 'clauses'>, values: readonly SearchValue[]): boolean {
  return query.clauses.every((clause) =>
    holds(
      clause,
      values.filter((value) => value.param === clause.param),
    ),
  );
}

function holds(clause: SearchClause, values: readonly SearchValue[]): boolean {
  switch (clause.kind) {
    case 'missing':
      return clause.missing === (values.length === 0);
    case 'token':
      return clause.not !== values.some((v) => v.kind === 'token' && clause.any.some((c) => tokenFits(c, v)));
    case 'date':
      return values.some((v) => v.kind === 'date' && clause.any.some((c) => dateFits(c, v)));
    case 'string':
      return values.some((v) => v.kind === 'string' && clause.any.some((text) => stringFits(clause.mode, text, v)));
    case 'reference':
      return values.some((v) => v.kind === 'reference' && clause.any.some((c) => referenceFits(c, v)));
    case 'quantity':
    case 'number':
      return values.some((v) => (v.kind === 'quantity' || v.kind === 'number') && clause.any.some((c) => quantityFits(c, v)));
    case 'uri':
      return values.some((v) => v.kind === 'uri' && clause.any.includes(v.uri));
  }
}

function tokenFits(criterion: TokenCriterion, value: { system: string | undefined; code: string | undefined }): boolean {
  if (value.code === undefined) return false;
  const systemFits = criterion.system === undefined || (criterion.system ?? undefined) === value.system;
  return systemFits && (criterion.code === undefined || criterion.code === value.code);
}

/** A range on any ordered scale, open where undefined; how its ends are compared is the caller's. */
interface Compared {
  /** The value lies wholly within what was written. */
  readonly within: boolean;
  /** A part of the value lies above / below what was written. */
  readonly above: boolean;
  readonly below: boolean;
  /** All of the value lies above / below what was written. */
  readonly after: boolean;
  readonly before: boolean;
}

/** R4 §3.1.1.4.5. */
const prefixHolds: Readonly<Record<SearchPrefix, (compared: Compared) => boolean>> = {
  eq: ({ within }) => within,
  ne: ({ within }) => !within,
  gt: ({ above }) => above,
  lt: ({ below }) => below,
  ge: ({ above, within }) => above || within,
  le: ({ below, within }) => below || within,
  sa: ({ after }) => after,
  eb: ({ before }) => before,
};

/** Instants of one form compare as texts. */
function dateFits({ prefix, start, end }: DateCriterion, value: DateValue): boolean {
  const from = value.start ?? '';
  const to = value.end ?? '~';
  return prefixHolds[prefix]({
    within: from >= start && to <= end,
    above: to > end,
    below: from < start,
    after: from >= end,
    before: to <= start,
  });
}

function quantityFits(criterion: QuantityCriterion, value: QuantityValue): boolean {
  const { unit } = criterion;
  if (unit !== undefined && !unitFits(unit, value)) return false;
  const low = value.low ?? -Infinity;
  const high = value.high ?? Infinity;
  return prefixHolds[criterion.prefix]({
    // For eq and ne the digits written count, for the others the number alone (R4 §3.1.1.4.6).
    within: exactly(criterion) ? low >= criterion.low && high < criterion.high : low === criterion.value && high === criterion.value,
    above: high > criterion.value,
    below: low < criterion.value,
    after: low > criterion.value,
    before: high < criterion.value,
  });
}

const exactly = ({ prefix }: QuantityCriterion): boolean => prefix === 'eq' || prefix === 'ne';

function unitFits(unit: { system: string | undefined; code: string }, value: QuantityValue): boolean {
  if (unit.system !== undefined) return value.system === unit.system && value.code === unit.code;
  return value.code === unit.code || value.unit === unit.code;
}

function stringFits(mode: 'starts' | 'exact' | 'contains', text: string, value: StringValue): boolean {
  switch (mode) {
    case 'starts':
      return value.normal.startsWith(text);
    case 'contains':
      return value.normal.includes(text);
    case 'exact':
      return value.text === text;
  }
}

function referenceFits(criterion: ReferenceCriterion, value: ReferenceValue): boolean {
  switch (criterion.by) {
    case 'id':
      return value.id === criterion.id && (criterion.type === undefined || criterion.type === value.type);
    case 'url':
      return value.url === criterion.url;
    case 'identifier':
      return tokenFits(criterion.identifier, value);
  }
}

import { PortolanError, type ErrorCode } from '@portolan/contracts';
import { readControl, noControls, isControl, type Controls } from './parse-controls.js';
import * as read from './parse-criteria.js';
import { isSearchable, searchParametersOf, type SearchableType, type SearchParameter } from './search-parameters.js';
import type { SearchClause, SearchQuery, SortKey } from './search-query.js';
import type { IndexOptions } from './search-values.js';
import { positionOf } from './page.js';

export interface SearchOptions extends IndexOptions {
  /** Prefer: handling (R4 §3.1.1.1): unknown parameters are refused, or ignored and counted. */
  readonly handling?: 'strict' | 'lenient';
  /** Matches a page unless `_count` says otherwise; 20. */
  readonly defaultCount?: number;
  /** More is brought down to it; 200. */
  readonly maxCount?: number;
}

/** Bounds of one search. */
const MAX_PARAMETERS = 40;
const MAX_VALUE = 1000;
const MAX_ALTERNATIVES = 50;

/**
 * Reads the parameters of a search for `type` (R4 §3.1.1), decoded, in the order sent (a URLSearchParams will do). Throws
 * `fhir.type-unsupported`, `fhir.search-parameter-unknown`, `fhir.search-modifier-unsupported`, `fhir.search-value-invalid`,
 * `fhir.search-too-large`, `fhir.page-unknown`. Modifiers, chains and `_has` that are not supported are refused whatever the
 * handling: without them a search would find more than was asked.
 */
export function parseSearch(type: string, parameters: Iterable<readonly [string, string]>, options: SearchOptions = {}): SearchQuery {
  if (!isSearchable(type)) throw new PortolanError('fhir.type-unsupported', 'the type in the address');
  const pairs = bounded(parameters);
  const reading = new Reading(type, options);
  pairs.forEach(([name, value], i) => reading.take(name, value, i + 1));
  return reading.query();
}

function bounded(parameters: Iterable<readonly [string, string]>): readonly (readonly [string, string])[] {
  const pairs: (readonly [string, string])[] = [];
  for (const pair of parameters) {
    if (pairs.length >= MAX_PARAMETERS) throw new PortolanError('fhir.search-too-large', 'the parameters', `more than ${MAX_PARAMETERS}`);
    if (pair[1].length > MAX_VALUE) {
      throw new PortolanError('fhir.search-too-large', `parameter ${pairs.length + 1}`, `longer than ${MAX_VALUE} characters`);
    }
    pairs.push(pair);
  }
  return pairs;
}

class Reading {
  private readonly known: Readonly<Record<string, SearchParameter>>;
  private readonly clauses: SearchClause[] = [];
  private readonly self: (readonly [string, string])[] = [];
  private controls: Controls = noControls;
  private ignored = 0;

  constructor(
    private readonly type: SearchableType,
    private readonly options: SearchOptions,
  ) {
    this.known = searchParametersOf(type);
  }

  /** `at` is the parameter's number: an unknown name may be anything, so it is not repeated. */
  take(name: string, value: string, at: number): void {
    const [base = '', modifier, ...more] = name.split(':');
    const parameter = Object.hasOwn(this.known, base) ? this.known[base] : undefined;
    if (isControl(base)) {
      this.controls = readControl(this.controls, base, modifier, value, { type: this.type, known: this.known });
    } else if (parameter !== undefined) {
      if (more.length > 0) throw new PortolanError('fhir.search-modifier-unsupported', `${this.type}?${base}`);
      this.clauses.push(clauseOf(`${this.type}?${base}`, base, parameter, modifier, value, this.options));
    } else {
      this.skip(base, at);
      return;
    }
    if (base !== '_cursor') this.self.push([name, value]);
  }

  private skip(base: string, at: number): void {
    const where = `parameter ${at} of the search for ${this.type}`;
    if (base.includes('.') || base === '_has' || base === '_revinclude') throw new PortolanError('fhir.search-modifier-unsupported', where);
    if (this.options.handling !== 'lenient') throw new PortolanError('fhir.search-parameter-unknown', where);
    this.ignored += 1;
  }

  query(): SearchQuery {
    const { count, sort, include, summary, elements, total, cursor } = this.controls;
    const page = Math.min(count ?? this.options.defaultCount ?? 20, this.options.maxCount ?? 200);
    const query: SearchQuery = {
      type: this.type,
      clauses: this.clauses,
      sort: sort.length > 0 ? sort : newestFirst,
      count: summary === 'count' ? 0 : page,
      after: undefined,
      include,
      summary,
      elements,
      total: summary === 'count' || page === 0 ? 'accurate' : total,
      self: this.self,
      ignored: this.ignored,
    };
    return cursor === undefined ? query : { ...query, after: positionOf(query, cursor) };
  }
}

const newestFirst: readonly SortKey[] = [{ param: '_lastUpdated', kind: 'date', descending: true }];

function clauseOf(
  where: string,
  param: string,
  parameter: SearchParameter,
  modifier: string | undefined,
  value: string,
  options: SearchOptions,
): SearchClause {
  if (modifier === 'missing') return { kind: 'missing', param, missing: readBoolean(where, value) };
  const fail = (code: ErrorCode, detail?: string): PortolanError => new PortolanError(code, where, detail);
  function any<T>(reader: read.CriterionReader<T>): T[] {
    const texts = read.splitEscaped(value, ',');
    if (texts.length > MAX_ALTERNATIVES) throw fail('fhir.search-too-large', `more than ${MAX_ALTERNATIVES} alternatives`);
    return texts.map((text) => {
      const criterion = reader(text, options);
      if (criterion === undefined) throw fail('fhir.search-value-invalid', `a ${parameter.kind} is expected`);
      return criterion;
    });
  }
  const clause = makers[parameter.kind]({ param, modifier, any });
  if (clause === undefined) throw fail('fhir.search-modifier-unsupported', `on a ${parameter.kind}`);
  return clause;
}

interface ClauseParts {
  readonly param: string;
  readonly modifier: string | undefined;
  readonly any: <T>(reader: read.CriterionReader<T>) => T[];
}

/** One maker a kind; undefined where the kind has no such modifier. */
const makers: Readonly<Record<SearchParameter['kind'], (parts: ClauseParts) => SearchClause | undefined>> = {
  token: ({ param, modifier, any }) =>
    modifier === undefined || modifier === 'not' ? { kind: 'token', param, not: modifier === 'not', any: any(read.readToken) } : undefined,
  date: ({ param, modifier, any }) => (modifier === undefined ? { kind: 'date', param, any: any(read.readDate) } : undefined),
  string: stringClause,
  reference: ({ param, modifier, any }) => {
    if (modifier === 'identifier') return { kind: 'reference', param, any: any(read.readIdentifier) };
    const isType = modifier === undefined || /^[A-Z][A-Za-z]+$/.test(modifier);
    return isType ? { kind: 'reference', param, any: any(read.readReference(modifier)) } : undefined;
  },
  quantity: ({ param, modifier, any }) => (modifier === undefined ? { kind: 'quantity', param, any: any(read.readQuantity) } : undefined),
  number: ({ param, modifier, any }) => (modifier === undefined ? { kind: 'number', param, any: any(read.readNumber) } : undefined),
  uri: ({ param, modifier, any }) => (modifier === undefined ? { kind: 'uri', param, any: any(read.readUri) } : undefined),
};

function stringClause({ param, modifier, any }: ClauseParts): SearchClause | undefined {
  switch (modifier) {
    case undefined:
      return { kind: 'string', param, mode: 'starts', any: any(read.readString) };
    case 'contains':
      return { kind: 'string', param, mode: 'contains', any: any(read.readString) };
    case 'exact':
      return { kind: 'string', param, mode: 'exact', any: any(read.readExact) };
    default:
      return undefined;
  }
}

function readBoolean(where: string, value: string): boolean {
  if (value !== 'true' && value !== 'false') throw new PortolanError('fhir.search-value-invalid', where, 'true or false is expected');
  return value === 'true';
}

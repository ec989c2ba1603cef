import type { Instant } from '@portolan/contracts';
import type { SearchableType } from './search-parameters.js';
import type { SearchKind } from './search-value.js';

/** Prefixes of dates, numbers and quantities (R4 §3.1.1.4.5). `ap` has no exact meaning and is refused. */
export type SearchPrefix = 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge' | 'sa' | 'eb';

/** `system` undefined: any; null: the value must have none (`|code`). `code` undefined: any of the system (`system|`). */
export interface TokenCriterion {
  readonly system: string | null | undefined;
  readonly code: string | undefined;
}

/** From `start` (included) to `end` (excluded), UTC. */
export interface DateCriterion {
  readonly prefix: SearchPrefix;
  readonly start: Instant;
  readonly end: Instant;
}

/** Type and id (type undefined: any), or an address, or a business identifier (`:identifier`). */
export type ReferenceCriterion =
  | { readonly by: 'id'; readonly type: string | undefined; readonly id: string }
  | { readonly by: 'url'; readonly url: string }
  | { readonly by: 'identifier'; readonly identifier: TokenCriterion };

/** `value` for comparisons; `low` (included) to `high` (excluded) is what `eq` means by the digits written (R4 §3.1.1.4.6). */
export interface QuantityCriterion {
  readonly prefix: SearchPrefix;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** System and code, or code alone that may be code or printed unit; undefined: any unit. */
  readonly unit: { readonly system: string | undefined; readonly code: string } | undefined;
}

/** One parameter of the query: a resource fits where one of its rows of that name fits one of `any`. */
export type SearchClause =
  | { readonly kind: 'missing'; readonly param: string; readonly missing: boolean }
  /** `not`: no row may fit; a resource without rows fits. */
  | { readonly kind: 'token'; readonly param: string; readonly not: boolean; readonly any: readonly TokenCriterion[] }
  | { readonly kind: 'date'; readonly param: string; readonly any: readonly DateCriterion[] }
  /** `any` is normalised, except for `exact`. */
  | { readonly kind: 'string'; readonly param: string; readonly mode: 'starts' | 'exact' | 'contains'; readonly any: readonly string[] }
  | { readonly kind: 'reference'; readonly param: string; readonly any: readonly ReferenceCriterion[] }
  | { readonly kind: 'quantity' | 'number'; readonly param: string; readonly any: readonly QuantityCriterion[] }
  | { readonly kind: 'uri'; readonly param: string; readonly any: readonly string[] };

export interface SortKey {
  readonly param: string;
  readonly kind: SearchKind;
  readonly descending: boolean;
}

/** Resources that the matches refer to by `param`, of `target` only where given. */
export interface SearchInclude {
  readonly param: string;
  readonly target: string | undefined;
}

export type SearchSummary = 'true' | 'text' | 'data' | 'count' | 'false';

/** A search as the stores understand it: typed, bounded, free of syntax. All clauses must hold. */
export interface SearchQuery {
  readonly type: SearchableType;
  readonly clauses: readonly SearchClause[];
  /** After these the id decides, ascending, so that paging has one order. Never empty. */
  readonly sort: readonly SortKey[];
  /** Matches a page; 0 for a count alone. */
  readonly count: number;
  /** Id of the last match of the page before; the page starts behind it. */
  readonly after: string | undefined;
  readonly include: readonly SearchInclude[];
  readonly summary: SearchSummary;
  /** Top-level elements wanted (`_elements`); undefined: all. */
  readonly elements: readonly string[] | undefined;
  readonly total: 'none' | 'estimate' | 'accurate';
  /** The parameters in force, as sent: the self link. */
  readonly self: readonly (readonly [name: string, value: string])[];
  /** How many unknown parameters were ignored (Prefer: handling=lenient). */
  readonly ignored: number;
}

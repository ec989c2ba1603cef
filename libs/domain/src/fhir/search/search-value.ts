import type { Instant } from '@portolan/contracts';

/** Kinds of search parameter (R4 §3.1.1.4.4 and following) that this node indexes. */
export type SearchKind = 'token' | 'date' | 'string' | 'reference' | 'quantity' | 'number' | 'uri';

/** A code, identifier, contact point or boolean. `system` undefined: the value has none. */
export interface TokenValue {
  readonly kind: 'token';
  readonly param: string;
  readonly system: string | undefined;
  readonly code: string;
}

/** The time from `start` (included) to `end` (excluded), UTC; undefined where open. */
export interface DateValue {
  readonly kind: 'date';
  readonly param: string;
  readonly start: Instant | undefined;
  readonly end: Instant | undefined;
}

export interface StringValue {
  readonly kind: 'string';
  readonly param: string;
  /** As written. */
  readonly text: string;
  /** Without case, accents and doubled white space: see `normalised`. */
  readonly normal: string;
}

/** What a Reference names: a resource by type and id, or any address by `url`, or a business identifier. */
export interface ReferenceValue {
  readonly kind: 'reference';
  readonly param: string;
  readonly type: string | undefined;
  readonly id: string | undefined;
  /** An address that is no resource of this node: another server's, `urn:uuid:…`, a canonical. */
  readonly url: string | undefined;
  readonly system: string | undefined;
  readonly code: string | undefined;
}

/** A number with or without unit, from `low` to `high` (both included); undefined where open (`<5`). */
export interface QuantityValue {
  readonly kind: 'quantity' | 'number';
  readonly param: string;
  readonly low: number | undefined;
  readonly high: number | undefined;
  readonly system: string | undefined;
  readonly code: string | undefined;
  readonly unit: string | undefined;
}

export interface UriValue {
  readonly kind: 'uri';
  readonly param: string;
  readonly uri: string;
}

/** One row of the search index of a resource. A row is health data: it is erased with the person. */
export type SearchValue = TokenValue | DateValue | StringValue | ReferenceValue | QuantityValue | UriValue;

/** Text as strings are compared (R4 §3.1.1.4.8): no case, no combining marks, white space as one space. */
export function normalised(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().replace(/\s+/gu, ' ').trim();
}

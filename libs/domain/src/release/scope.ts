import type { BusinessIdentifier, DataCategory } from '@portolan/contracts';
import { categoriesOf } from './categories.js';
import { isWithin } from './clinical-time.js';
import type { Resource } from './resource.js';

/** What may cross, or what is asked for: categories and clinical dates (calendar dates are days in UTC, both included). */
export interface Scope {
  readonly categories: readonly DataCategory[];
  /** FHIR date or instant. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

/** A permit's opening as far as it limits content: the scope, and the identifiers by which the person was asked for. */
export interface OpeningScope extends Scope {
  readonly identifiers: readonly BusinessIdentifier[];
}

const later = (a: string | undefined, b: string | undefined): string | undefined =>
  a === undefined || (b !== undefined && Date.parse(b) > Date.parse(a)) ? b : a;
const earlier = (a: string | undefined, b: string | undefined): string | undefined =>
  a === undefined || (b !== undefined && Date.parse(b) < Date.parse(a)) ? b : a;

/** What both scopes cover. */
export function narrow(permitted: Scope, asked: Scope): Scope {
  return {
    categories: permitted.categories.filter((category) => asked.categories.includes(category)),
    since: later(permitted.since, asked.since),
    until: earlier(permitted.until, asked.until),
  };
}

/** Whether a resource is itself within a scope: it belongs to a category of it, and lies within its dates. */
export const inScope = (resource: Resource, scope: Scope): boolean =>
  categoriesOf(resource).some((category) => scope.categories.includes(category)) && isWithin(resource, scope.since, scope.until);

import type { BusinessIdentifier, DataCategory } from '@portolan/contracts';
import { categoriesOf } from './categories.js';
import { intervalOf, isWithin, type Interval } from './clinical-time.js';
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

/** The limit that lets less through; `2020` begins in January and ends in December. One that cannot be read stays: it lets nothing through. */
function tighter(a: string | undefined, b: string | undefined, isTighter: (a: Interval, b: Interval) => boolean): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const [first, second] = [intervalOf(a), intervalOf(b)];
  if (first === undefined) return a;
  return second === undefined || isTighter(second, first) ? b : a;
}

/** What both scopes cover. */
export function narrow(permitted: Scope, asked: Scope): Scope {
  return {
    categories: permitted.categories.filter((category) => asked.categories.includes(category)),
    since: tighter(permitted.since, asked.since, (a, b) => a.from > b.from),
    until: tighter(permitted.until, asked.until, (a, b) => a.to < b.to),
  };
}

/** Whether a resource is itself within a scope: it belongs to a category of it, and lies within its dates. */
export const inScope = (resource: Resource, scope: Scope): boolean =>
  categoriesOf(resource).some((category) => scope.categories.includes(category)) && isWithin(resource, scope.since, scope.until);

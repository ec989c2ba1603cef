import { sameFhir, type FhirObject, type FhirValue } from '@portolan/formats';
import { joinedTo, linksAmong, mayGoAlong, type RecordEntry } from './moves.js';

/**
 * What stands where an entry was moved to, once the message in which it came is translated again: the elements that the message says otherwise
 * `now` than `before`, where what stands is still what it said. What was said of it since, by the move or by whoever it went to, stays.
 */
export function toldAgain(stands: FhirObject, before: FhirObject, now: FhirObject): FhirObject {
  const next: FhirObject = { ...stands };
  for (const element of new Set([...Object.keys(before), ...Object.keys(now)])) {
    const [was, is] = [before[element], now[element]];
    if (isSame(was, is) || !isSame(stands[element], was)) continue;
    if (is === undefined) Reflect.deleteProperty(next, element);
    else next[element] = is;
  }
  return next;
}

/** What of a message's entries belongs to these, which were moved away: what refers to them, or they to it, and tells of no person or other stay. */
export function goesWith(moved: ReadonlySet<string>, message: readonly RecordEntry[]): ReadonlySet<string> {
  return joinedTo(moved, linksAmong(message), mayGoAlong);
}

const isSame = (a: FhirValue | undefined, b: FhirValue | undefined): boolean =>
  a === undefined || b === undefined ? a === b : sameFhir(a, b);

import { isFhirObject, type FhirObject, type FhirValue } from './fhir.js';

interface TargetStep {
  readonly name: string;
  /** A fixed index, 'append', or undefined for an element that does not repeat. */
  readonly index: number | 'append' | undefined;
}

/** Where a rule writes: parsed once when its map is loaded. No steps: the enclosing object itself. */
export type TargetPath = readonly TargetStep[];

/** Parses `a.b[0].c` or `a[]`; `.` is the enclosing object. Throws a plain Error that says what is wrong. */
export function parseTargetPath(text: string): TargetPath {
  if (text === '.') return [];
  return text.split('.').map((part) => {
    const match = /^(_?[a-z][A-Za-z0-9]{0,60})(?:\[(\d{0,2})\])?$/.exec(part);
    if (match === null) throw new Error(`${text} is no FHIR path`);
    const index = match[2];
    return { name: match[1] ?? '', index: index === undefined ? undefined : index === '' ? 'append' : Number(index) };
  });
}

/**
 * Puts `value` into `object` at `path` and gives the path with its real indexes, or undefined where something else already
 * stands there (the first value wins; the caller accounts for the second).
 */
export function putAt(object: FhirObject, path: TargetPath, value: FhirValue): string | undefined {
  let holder = object;
  const told: string[] = [];
  for (const [i, step] of path.entries()) {
    const last = i === path.length - 1;
    const place = placeOf(holder, step);
    told.push(place.told);
    if (last) return fill(place, value) ? told.join('.') : undefined;
    const next = place.get() ?? {};
    if (!isFhirObject(next)) return undefined;
    place.set(next);
    holder = next;
  }
  return undefined;
}

interface Place {
  readonly told: string;
  get(): FhirValue | undefined;
  set(value: FhirValue): void;
}

function placeOf(holder: FhirObject, step: TargetStep): Place {
  const { name } = step;
  if (step.index === undefined) {
    return { told: name, get: () => holder[name], set: (value) => (holder[name] = value) };
  }
  const present = holder[name];
  const list: FhirValue[] = Array.isArray(present) ? present : [];
  const index = step.index === 'append' ? list.length : Math.min(step.index, list.length);
  return {
    told: `${name}[${index}]`,
    get: () => list[index],
    set: (value) => {
      list[index] = value;
      holder[name] = list;
    },
  };
}

function fill(place: Place, value: FhirValue): boolean {
  const present = place.get();
  if (present === undefined) place.set(value);
  else if (isFhirObject(present) && isFhirObject(value)) return mergeInto(present, value);
  else return false;
  return true;
}

/** Adds what `value` has and `present` lacks; false, with nothing changed, where both have one element. */
function mergeInto(present: FhirObject, value: FhirObject): boolean {
  if (Object.keys(value).some((key) => present[key] !== undefined)) return false;
  Object.assign(present, value);
  return true;
}

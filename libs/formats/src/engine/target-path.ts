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
  const plain = path.length === 1 ? path[0] : undefined;
  // Most rules write one plain element that nothing else wrote.
  if (plain?.index !== undefined || plain === undefined || object[plain.name] !== undefined) return putAlong(object, path, value);
  object[plain.name] = value;
  return plain.name;
}

function putAlong(object: FhirObject, path: TargetPath, value: FhirValue): string | undefined {
  let holder = object;
  let told = '';
  for (const [i, step] of path.entries()) {
    const place = placeOf(holder, step);
    told = i === 0 ? place.told : `${told}.${place.told}`;
    if (i === path.length - 1) return fill(place, value) ? told : undefined;
    const next = place.present ?? {};
    if (!isFhirObject(next)) return undefined;
    set(place, next);
    holder = next;
  }
  return undefined;
}

/** An element of an object, or an item of a list that is its element, and what stands there. */
interface Place {
  readonly told: string;
  readonly holder: FhirObject;
  readonly name: string;
  readonly list: FhirValue[] | undefined;
  readonly index: number;
  readonly present: FhirValue | undefined;
}

function placeOf(holder: FhirObject, { name, index: asked }: TargetStep): Place {
  const present = holder[name];
  if (asked === undefined) return { told: name, holder, name, list: undefined, index: 0, present };
  const list: FhirValue[] = Array.isArray(present) ? present : [];
  const index = asked === 'append' ? list.length : Math.min(asked, list.length);
  return { told: `${name}[${index}]`, holder, name, list, index, present: list[index] };
}

function set({ holder, name, list, index }: Place, value: FhirValue): void {
  if (list === undefined) holder[name] = value;
  else {
    list[index] = value;
    holder[name] = list;
  }
}

function fill(place: Place, value: FhirValue): boolean {
  const { present } = place;
  if (present === undefined) set(place, value);
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

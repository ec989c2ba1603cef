import { isFhirObject, type FhirObject, type FhirValue } from './fhir.js';
import type { Built, Mark } from './marks.js';

/** Code systems whose codes are all known, by their URI. */
export type ClosedSystems = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * Takes the system from a coding whose code is none of it. A standard binds a field to its table, and a sender writes what it likes there: that
 * code is kept, and not told to be another's. What the source said of the system is then not in the output, and is carried.
 */
export function withoutForeignSystems(built: Built, closed: ClosedSystems): Built {
  if (!isFhirObject(built.value) || closed.size === 0) return built;
  if (isForeign(built.value, closed)) return { value: without(built.value), marks: unmarked(built.marks, 'system') };
  const codings = built.value['coding'];
  if (!Array.isArray(codings)) return built;
  const foreign = codings.flatMap((coding, i) => (isFhirObject(coding) && isForeign(coding, closed) ? [i] : []));
  if (foreign.length === 0) return built;
  return {
    value: { ...built.value, coding: codings.map((coding, i) => (foreign.includes(i) ? without(coding as FhirObject) : coding)) },
    marks: foreign.reduce((marks, i) => unmarked(marks, `coding[${i}].system`), built.marks),
  };
}

function isForeign({ system, code }: FhirObject, closed: ClosedSystems): boolean {
  return typeof system === 'string' && typeof code === 'string' && closed.get(system)?.has(code) === false;
}

function without({ system: _system, ...coding }: FhirObject): FhirValue {
  return coding;
}

const unmarked = (marks: readonly Mark[], path: string): readonly Mark[] => marks.filter((mark) => mark.path !== path);

import { sameFhir, type FhirObject } from '@portolan/formats';

const OF_THE_STORE: ReadonlySet<string> = new Set(['meta', 'text']);

/** Names of the top-level elements in which two versions of a resource differ, digit by digit; meta and narrative aside. */
export function changedElements(before: FhirObject, after: FhirObject): readonly string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((name) => !OF_THE_STORE.has(name));
  return names.filter((name) => !same(before, after, name)).sort();
}

function same(before: FhirObject, after: FhirObject, name: string): boolean {
  const [a, b] = [before[name], after[name]];
  return a === undefined || b === undefined ? a === b : sameFhir(a, b);
}

import { isFhirObject, type FhirObject, type FhirValue } from './fhir.js';

// Reading of terminology resources: each throws a plain Error that names the place, which becomes a mistake of the file.

export function objectAt(value: FhirValue | undefined, where: string): FhirObject {
  if (!isFhirObject(value)) throw new Error(`${where} is no object`);
  return value;
}

export function listAt(value: FhirValue | undefined, where: string): FhirValue[] {
  if (!Array.isArray(value)) throw new Error(`${where} is no list`);
  return value;
}

export function textAt(value: FhirValue | undefined, where: string): string {
  if (typeof value !== 'string' || value === '') throw new Error(`${where} is no text`);
  return value;
}

export function optionalTextAt(value: FhirValue | undefined, where: string): string | undefined {
  return value === undefined ? undefined : textAt(value, where);
}

/** What is not acted on must not be passed over. */
export function refuseMembers(value: FhirObject, members: readonly string[], where: string): void {
  const there = members.find((member) => value[member] !== undefined);
  if (there !== undefined) throw new Error(`${where === '' ? '' : `${where}.`}${there} is not acted on: write it without`);
}

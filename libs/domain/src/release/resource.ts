import { DecimalText, toFhirJson, type FhirValue } from '@portolan/formats';
import { parseFhirJson } from '../fhir/fhir-json.js';

/** FHIR R4 resources as immutable JSON trees; decimals keep their digits (DecimalText), `null` fills gaps of primitive lists. */
export type Json = string | number | boolean | null | DecimalText | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}
export type Resource = JsonObject & { readonly resourceType: string };

/** Reads a resource: bounded, digits kept. Throws `fhir.json-invalid`. */
export const readResource: (text: string, where: string) => Resource = parseFhirJson;

/** The JSON text of a tree; digits as they came. */
export const writeResource = (value: Resource): string => toFhirJson(value as unknown as FhirValue);

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof DecimalText);

/** The elements of a list, or none where there is no list. */
export const list = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? (value as readonly Json[]) : []);
export const objects = (value: Json | undefined): readonly JsonObject[] => list(value).filter(isObject);
export const child = (value: Json | undefined, key: string): Json | undefined => (isObject(value) ? value[key] : undefined);

/** A string at a path of object keys, or undefined. */
export function text(value: Json | undefined, ...path: readonly string[]): string | undefined {
  const found = path.reduce<Json | undefined>((at, key) => child(at, key), value);
  return typeof found === 'string' && found !== '' ? found : undefined;
}

/** Whether a CodeableConcept bears one of the codes of a system. */
export const hasCode = (concept: Json | undefined, system: string, codes: readonly string[]): boolean =>
  objects(child(concept, 'coding')).some((c) => c['system'] === system && codes.includes(text(c, 'code') ?? ''));

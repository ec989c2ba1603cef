import { depthOf, hasDuplicateMember, MAX_JSON_DEPTH, PortolanError } from '@portolan/contracts';
import { fromFhirJson, isFhirObject, type FhirObject } from '@portolan/formats';

/** A parsed resource; decimals are DecimalText where JavaScript would lose digits. Written again by `toFhirJson`. */
export type ParsedResource = FhirObject & { resourceType: string };

/** Longest FHIR body, in characters, unless the caller says otherwise. */
export const MAX_FHIR_CHARS = 8_000_000;

/**
 * Reads one FHIR resource from JSON text (R4 §2.6.1): bounded in size and depth, digits kept, no member twice (two readers
 * of one text must not see two records). Throws `fhir.json-invalid` that names `where`.
 */
export function parseFhirJson(text: string, where: string, maxChars: number = MAX_FHIR_CHARS): ParsedResource {
  const refuse = (detail: string): PortolanError => new PortolanError('fhir.json-invalid', where, detail);
  if (text.length > maxChars) throw refuse(`longer than ${maxChars} characters`);
  if (depthOf(text) > MAX_JSON_DEPTH) throw refuse(`nested deeper than ${MAX_JSON_DEPTH}`);
  const value = readOr(text, refuse);
  if (hasDuplicateMember(text)) throw refuse('a member stands twice in one object');
  if (value === null || !isFhirObject(value) || !isResource(value)) throw refuse('not an object with a resourceType');
  return value;
}

function isResource(value: FhirObject): value is ParsedResource {
  const type = value['resourceType'];
  return typeof type === 'string' && /^[A-Z][A-Za-z]{1,63}$/.test(type);
}

function readOr(text: string, refuse: (detail: string) => PortolanError): ReturnType<typeof fromFhirJson> | null {
  try {
    return fromFhirJson(text);
  } catch {
    throw refuse('not JSON');
  }
}

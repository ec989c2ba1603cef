import { depthOf, MAX_JSON_DEPTH, PortolanError } from '@portolan/contracts';
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

/** Whether an object of `text`, which is JSON, has a member twice. `JSON.parse` would keep the last and say nothing. */
export function hasDuplicateMember(text: string): boolean {
  const open: (Set<string> | undefined)[] = [];
  for (let i = 0; i < text.length; i += 1) {
    const c = text[i];
    if (c === '{') open.push(new Set());
    else if (c === '[') open.push(undefined);
    else if (c === '}' || c === ']') open.pop();
    else if (c === '"') {
      const end = endOfString(text, i);
      if (repeats(open.at(-1), text, i, end)) return true;
      i = end;
    }
  }
  return false;
}

/** Index of the quote that closes the string opened at `start`. */
function endOfString(text: string, start: number): number {
  let i = start + 1;
  while (i < text.length && text[i] !== '"') i += text[i] === '\\' ? 2 : 1;
  return i;
}

/** Notes the string as a member's name, if it is one; true where the object had it before. */
function repeats(members: Set<string> | undefined, text: string, start: number, end: number): boolean {
  if (members === undefined) return false;
  let next = end + 1;
  while (text[next] === ' ' || text[next] === '\n' || text[next] === '\r' || text[next] === '\t') next += 1;
  if (text[next] !== ':') return false;
  const raw = text.slice(start, end + 1);
  const name = raw.includes('\\') ? (JSON.parse(raw) as string) : raw.slice(1, -1);
  if (members.has(name)) return true;
  members.add(name);
  return false;
}

import { hasDuplicateMember, depthOf, MAX_JSON_DEPTH, PortolanError } from '@portolan/contracts';
import { DecimalText, fromFhirJson, isFhirObject, SourceNode, type FhirObject, type FhirValue } from '../engine/index.js';

/** FHIR JSON may hold null in a list of primitives, where an extension says why (R4 §2.6.2.3). */
export type Json = FhirValue | null;

/**
 * Reads FHIR JSON strictly: UTF-8, bounded in size and depth, no member twice (two readers of one text must not see two records), digits
 * kept. Throws `ingest.too-large`, `ingest.encoding-invalid`, `ingest.malformed`.
 */
export function readJson(bytes: Uint8Array, maxBytes: number): FhirObject {
  if (bytes.length > maxBytes) throw new PortolanError('ingest.too-large', 'document', `more than ${maxBytes} bytes`);
  const text = textOf(bytes);
  if (depthOf(text) > MAX_JSON_DEPTH) throw malformed(`nested deeper than ${MAX_JSON_DEPTH}`);
  const value = parsed(text);
  if (hasDuplicateMember(text)) throw malformed('a member stands twice in one object');
  if (value === null || !isFhirObject(value) || typeof value['resourceType'] !== 'string') throw malformed('no object with a resourceType');
  return value;
}

const malformed = (detail: string): PortolanError => new PortolanError('ingest.malformed', 'document', detail);

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new PortolanError('ingest.encoding-invalid', 'document', 'not UTF-8');
  }
}

function parsed(text: string): Json {
  try {
    return fromFhirJson(text);
  } catch {
    throw malformed('not JSON');
  }
}

/** Every value below an object as leaves under FHIR paths such as `Bundle.entry[0].resource.name[0].family`. */
export function nodesOf(object: FhirObject, path: string): SourceNode[] {
  return Object.entries(object).flatMap(([name, value]) => nodesAt(name, memberPath(path, name), value));
}

export function nodesAt(name: string, path: string, value: Json): SourceNode[] {
  if (value === null) return [];
  if (Array.isArray(value)) return value.flatMap((one, i) => nodesAt(name, `${path}[${i}]`, one));
  if (isFhirObject(value)) return [SourceNode.branch(name, path, nodesOf(value, path))];
  return [SourceNode.leaf(name, path, value instanceof DecimalText ? value.text : String(value))];
}

/** A name that is no element's stands in quotes, so that no two places share a path. */
export const memberPath = (path: string, name: string): string =>
  isElementName(name) ? `${path}.${name}` : `${path}[${JSON.stringify(name)}]`;

export const isElementName = (name: string): boolean => /^_?[A-Za-z][A-Za-z0-9]*$/.test(name);

import { isSupporting } from './categories.js';
import { isObject, list, text, type Json, type JsonObject, type Resource } from './resource.js';

/** `Type/id` of a relative or `urn:uuid:` literal reference; a version at its end is left out. Others point outside. */
export function targetOf(reference: string): string | undefined {
  if (/^urn:uuid:[0-9a-f-]{36}$/.test(reference)) return reference;
  const match = /^([A-Z][A-Za-z]{1,40})\/([A-Za-z0-9.-]{1,64})(?:\/_history\/[A-Za-z0-9.-]{1,64})?$/.exec(reference);
  return match === null ? undefined : `${match[1] ?? ''}/${match[2] ?? ''}`;
}

export const keyOf = (resource: Resource): string => `${resource.resourceType}/${text(resource, 'id') ?? ''}`;

const referenceKeys = new Set(['reference', 'type', 'identifier', 'display', 'id', 'extension']);
/** Elements that look like a Reference but hold a Coding or a list of other things. */
const notReferences = new Set(['coding', 'class', 'security', 'tag', 'entry']);

/** Whether a value at `key` is a FHIR Reference, literal or logical. */
export function isReference(value: Json, key: string): value is JsonObject {
  if (!isObject(value) || notReferences.has(key)) return false;
  const keys = Object.keys(value);
  return keys.every((k) => referenceKeys.has(k)) && keys.some((k) => k === 'reference' || k === 'display' || k === 'identifier');
}

/** Every literal reference of a tree with the element it stands at. */
export function literalReferences(value: Json, key = ''): readonly { key: string; target: string }[] {
  if (isReference(value, key)) {
    const target = targetOf(text(value, 'reference') ?? '');
    return target === undefined ? [] : [{ key, target }];
  }
  if (Array.isArray(value)) return list(value).flatMap((item) => literalReferences(item, key));
  return isObject(value) ? Object.entries(value).flatMap(([k, v]) => literalReferences(v, k)) : [];
}

/** Elements that name who acted, by whom or with what something was made: they say nothing of the person. */
const actingElements = new Set([
  'actor',
  'assigner',
  'asserter',
  'author',
  'custodian',
  'informationSource',
  'location',
  'manufacturer',
  'organization',
  'performer',
  'practitioner',
  'recorder',
  'requester',
  'specimen',
]);

/**
 * What stays of a reference whose target does not cross: a logical reference where the target is a supporting resource,
 * nothing where it could be a part of the record.
 */
export function logicalReference(reference: JsonObject, key: string): JsonObject | undefined {
  const type = text(reference, 'type') ?? targetOf(text(reference, 'reference') ?? '')?.split('/')[0];
  if (!isHarmless(reference, type, key)) return undefined;
  const kept: [string, Json][] = type === undefined ? [] : [['type', type]];
  for (const element of ['identifier', 'display']) {
    const value = reference[element];
    if (value !== undefined) kept.push([element, value]);
  }
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

const isHarmless = (reference: JsonObject, type: string | undefined, key: string): boolean =>
  type === undefined ? reference['reference'] === undefined && actingElements.has(key) : isSupporting(type);

/** A person's Patient resources hold together what sources say of one human being. */
export const subjectOf = (resource: Resource): string | undefined => {
  const reference = text(resource['subject'], 'reference') ?? text(resource['patient'], 'reference');
  return reference === undefined ? undefined : targetOf(reference);
};

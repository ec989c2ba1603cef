import { isObject, targetOf, textAt, type Json, type Resource } from '@portolan/domain';

/**
 * The same tree with every `Type/id` of the service replaced by an id of ours: ids of two sources never meet, and nothing of the
 * service's own numbering leaves. References to what is not `known` stay as they are; the release drops them.
 */
export function withOwnIds(resource: Resource, idOf: (type: string, id: string) => string, known: ReadonlySet<string>): Resource {
  const id = textAt(resource, 'id') ?? '';
  return { ...(rewritten(resource, idOf, known) as Resource), id: idOf(resource.resourceType, id) };
}

function rewritten(value: Json, idOf: (type: string, id: string) => string, known: ReadonlySet<string>): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map((item) => rewritten(item, idOf, known));
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([key, inner]): [string, Json] => [
    key,
    key === 'reference' && typeof inner === 'string' ? referenceOf(inner, idOf, known) : rewritten(inner, idOf, known),
  ]);
  return Object.fromEntries<Json>(entries);
}

function referenceOf(reference: string, idOf: (type: string, id: string) => string, known: ReadonlySet<string>): string {
  const target = targetOf(reference);
  if (target === undefined || !known.has(target)) return reference;
  const [type = '', id = ''] = target.split('/');
  return `${type}/${idOf(type, id)}`;
}

import { stableUuid } from '../engine/index.js';
import type { IdentityContext } from '../engine/instances.js';
import { textOf, type Entry, type TakenApart } from './entries.js';

/** Kinds of Bundle in which a resource's id is its name at its server; elsewhere it may hold in the one document alone. */
const named: ReadonlySet<string | undefined> = new Set([undefined, 'transaction', 'batch', 'searchset']);

/**
 * The id of each resource in this house: made of the country, the system that it came from, its type, and its address or name there. So the same
 * document gives the same ids, a newer version of a resource takes the place of the older, and no two sources collide.
 */
export function houseIds({ entries, bundle }: TakenApart, identity: IdentityContext): ReadonlyMap<Entry, string> {
  const { sha256, country, organisation, documentId } = identity;
  const ids = new Map<Entry, string>();
  entries.forEach((entry, i) => {
    const key = keyOf(entry, named.has(bundle) && organisation !== '') ?? ['document', documentId, ...placeOf(entry, i)];
    ids.set(entry, stableUuid(sha256, [country, organisation, 'fhir', entry.type, ...key]));
  });
  return ids;
}

function keyOf({ fullUrl, resource, type }: Entry, isName: boolean): string[] | undefined {
  if (fullUrl !== undefined && /^(?:https?:\/\/|urn:(?:uuid|oid):)\S+$/.test(fullUrl)) return ['address', fullUrl];
  const id = textOf(resource['id']);
  return isName && id !== undefined ? ['name', `${type}/${id}`] : undefined;
}

function placeOf({ fullUrl, resource }: Entry, i: number): string[] {
  const id = textOf(resource['id']);
  if (fullUrl !== undefined) return ['address', fullUrl];
  return id === undefined ? ['place', String(i)] : ['name', id];
}

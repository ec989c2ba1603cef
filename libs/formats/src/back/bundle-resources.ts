import { isFhirObject, type FhirObject, type FhirResource, type FhirValue } from '../engine/index.js';

/**
 * The resources of a Bundle, or the resource itself, with the references that name one of its entries by full URL (R4 §2.36.4) as `Type/id`: an entry
 * without an id of its own has that of its `urn:uuid:`. Undefined where an entry's resource has neither type nor id.
 */
export function resourcesIn(resource: FhirObject): FhirResource[] | undefined {
  if (resource['resourceType'] !== 'Bundle') return isResource(resource) ? [resource] : undefined;
  const entries = Array.isArray(resource['entry']) ? resource['entry'].filter(isFhirObject) : [];
  const placed = entries.filter((entry) => entry['resource'] !== undefined).map(placedEntry);
  const places = new Map(placed.map(({ url, resource: own }) => [url, `${textOf(own['resourceType'])}/${textOf(own['id'])}`]));
  const resources = placed.map(({ resource: own }) => relinked(own, places));
  return resources.every(isResource) ? resources : undefined;
}

const textOf = (value: FhirValue | undefined): string => (typeof value === 'string' ? value : '');

function placedEntry(entry: FhirObject): { readonly url: string; readonly resource: FhirObject } {
  const url = typeof entry['fullUrl'] === 'string' ? entry['fullUrl'] : '';
  const resource = isFhirObject(entry['resource']) ? entry['resource'] : {};
  const [, uuid] = /^urn:uuid:([0-9a-f-]{36})$/.exec(url) ?? [];
  return { url, resource: uuid === undefined || resource['id'] !== undefined ? resource : { ...resource, id: uuid } };
}

function relinked(value: FhirValue, places: ReadonlyMap<string, string>): FhirValue {
  if (Array.isArray(value)) return value.map((one) => relinked(one, places));
  if (!isFhirObject(value)) return value;
  const members = Object.entries(value).map(([key, one]): [string, FhirValue] => [
    key,
    key === 'reference' && typeof one === 'string' ? (places.get(one) ?? one) : relinked(one, places),
  ]);
  return Object.fromEntries(members);
}

function isResource(value: FhirValue): value is FhirResource {
  return isFhirObject(value) && typeof value['resourceType'] === 'string' && typeof value['id'] === 'string';
}

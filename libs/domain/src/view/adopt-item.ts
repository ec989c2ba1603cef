import { isFhirObject, type FhirObject, type FhirValue } from '@portolan/formats';
import { isSupporting } from '../release/categories.js';
import { localReference } from '../fhir/parameters.js';
import { TAG_SYSTEM } from '../fhir/shown-resource.js';

/** System of identifiers that are URIs (R4 §Identifier). */
const URI = 'urn:ietf:rfc:3986';

/** What taking over one item of a foreign record needs to know. */
export interface Adoption {
  /** The item as the view shows it. */
  readonly item: FhirObject;
  /** Its id here. */
  readonly id: string;
  /** `Patient/<handle>`: the person abroad. */
  readonly foreign: string;
  /** `Patient/<id>`: the same person here. */
  readonly local: string;
  /** A resource of the same view by `Type/id`. */
  readonly find: (key: string) => FhirObject | undefined;
}

/** What never becomes an entry of its own: the person, what this node made, and what says nothing by itself. */
export const isAdoptable = (type: string): boolean =>
  !['Patient', 'Bundle', 'Composition', 'Provenance', 'AuditEvent'].includes(type) && !isSupporting(type);

/**
 * The item as a resource of the local patient (design, invariant 9): who acted and with what comes along as contained resources; a
 * reference to another entry of the foreign record stays as that entry's business identifier. Digits stay.
 */
export function adoptedResource(adoption: Adoption): FhirObject & { resourceType: string; id: string } {
  const { item, id } = adoption;
  const { resourceType, meta, text: _narrative, contained, ...elements } = item;
  const copy = new Copy(adoption);
  const body = copy.members(elements);
  const inside = [...(Array.isArray(contained) ? contained : []), ...copy.contained()];
  const security: FhirObject = isFhirObject(meta) && Array.isArray(meta['security']) ? { security: meta['security'] } : {};
  return {
    ...body,
    resourceType: typeof resourceType === 'string' ? resourceType : '',
    id,
    meta: { ...security, tag: [{ system: TAG_SYSTEM, code: 'adopted' }] },
    ...(inside.length === 0 ? {} : { contained: inside }),
  };
}

/** Copies a tree and gathers the supporting resources that it leads to. */
class Copy {
  private readonly found = new Map<string, FhirObject>();

  constructor(private readonly adoption: Adoption) {}

  contained(): readonly FhirObject[] {
    return [...this.found.values()];
  }

  value(value: FhirValue): FhirValue {
    if (Array.isArray(value)) return value.map((one: FhirValue) => this.value(one));
    if (!isFhirObject(value)) return value;
    const { reference, ...rest } = value;
    if (typeof reference === 'string') return { ...this.pointed(reference), ...this.members(rest) };
    return this.members(value);
  }

  members(object: FhirObject): FhirObject {
    return Object.fromEntries(Object.entries(object).map(([key, one]) => [key, this.value(one)]));
  }

  private pointed(reference: string): FhirObject {
    const { foreign, local, find } = this.adoption;
    if (reference === foreign) return { reference: local };
    const named = localReference(reference);
    if (named === undefined) return reference.startsWith('#') ? { reference } : { identifier: { system: URI, value: reference } };
    const { type, id } = named;
    const target = isSupporting(type) ? find(reference) : undefined;
    if (target === undefined) return { type, identifier: { system: URI, value: `urn:uuid:${id}` } };
    this.contain(reference, target);
    return { reference: `#${id}` };
  }

  private contain(key: string, target: FhirObject): void {
    if (this.found.has(key)) return;
    this.found.set(key, target);
    // A contained resource has neither meta version nor narrative (R4 §DomainResource, dom-3 and dom-4).
    const { meta: _meta, text: _narrative, contained: _contained, ...elements } = target;
    this.found.set(key, this.members(elements));
  }
}

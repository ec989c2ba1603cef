import type { FhirObject, FhirResource } from './engine/index.js';

/**
 * A FHIR R4 collection bundle of `resources`. `base` is the server address under which relative references resolve
 * (Bundle §2.36.4: fullUrl and reference must meet).
 */
export function bundleOf(resources: readonly FhirResource[], base: string): FhirObject {
  const entry = resources.map((resource) => ({ fullUrl: `${base}/${resource.resourceType}/${resource.id}`, resource }));
  // FHIR JSON knows no empty array (R4 §2.6.2.2).
  return { resourceType: 'Bundle', type: 'collection', ...(entry.length > 0 && { entry }) };
}

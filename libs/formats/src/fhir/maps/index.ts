import resources from './resources.json' with { type: 'json' };

/** Which resources are taken from a foreign FHIR document, and to which concept maps their codes are bound. */
export const fhirMaps: Readonly<Record<string, unknown>> = { 'resources.json': resources };

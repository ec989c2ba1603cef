import { isFhirObject, type FhirObject, type FhirResource, type FhirValue } from './engine/index.js';

/** What a document says to identify a person: the traits that a person index matches. */
export interface PersonTraits {
  /** Index of the person's Patient in the translation's resources. */
  readonly resource: number;
  readonly identifiers: readonly { readonly system: string; readonly value: string }[];
  readonly family?: string;
  readonly given?: readonly string[];
  /** FHIR date, YYYY[-MM[-DD]]. */
  readonly birthDate?: string;
  /** FHIR administrative-gender. */
  readonly gender?: string;
}

/** Reads the traits out of a Patient. Identifiers without a system identify nobody and are left out. */
export function personTraits(patient: FhirResource, resource: number): PersonTraits {
  const name = objects(patient['name'])[0] ?? {};
  const { birthDate, gender } = patient;
  const { family, given } = name;
  return {
    resource,
    identifiers: objects(patient['identifier']).flatMap(({ system, value }) =>
      typeof system === 'string' && typeof value === 'string' ? [{ system, value }] : [],
    ),
    ...(typeof family === 'string' && { family }),
    ...(Array.isArray(given) && { given: given.filter((one) => typeof one === 'string') }),
    ...(typeof birthDate === 'string' && { birthDate }),
    ...(typeof gender === 'string' && { gender }),
  };
}

function objects(value: FhirValue | undefined): FhirObject[] {
  return Array.isArray(value) ? value.filter(isFhirObject) : [];
}

import type { FhirJudge } from '@portolan/formats';
import type { FhirValidator } from './fhir-validator.port.js';

/** The validator as the judge of foreign FHIR: the places of what is wrong with a resource, by R4 itself. */
export const judgeOf =
  (validator: FhirValidator): FhirJudge =>
  (resource) =>
    validator.validate(resource).flatMap(({ severity, path }) => (severity === 'fatal' || severity === 'error' ? [path] : []));

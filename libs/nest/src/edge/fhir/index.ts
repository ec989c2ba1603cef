export { failureAnswer } from './fhir-failure.js';
export { FhirModule } from './fhir.module.js';

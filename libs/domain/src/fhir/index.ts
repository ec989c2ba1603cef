export * from './capability-statement.js';
export * from './content-negotiation.js';
export * from './fhir-json.js';
export type { CapabilityStatement, OperationOutcome, OperationOutcomeIssue } from './fhir-types.js';
export * from './fhir-validator.port.js';
export * from './operation-outcome.js';
export * from './search/index.js';
export { DecimalText, fromFhirJson, isFhirObject, toFhirJson, type FhirObject, type FhirValue } from '@portolan/formats';

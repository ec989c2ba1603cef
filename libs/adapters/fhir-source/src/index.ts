export type { BackendClient } from './backend-token.js';
export { FhirRecordSource, type FhirRecordSourceConfig } from './fhir-record-source.js';
export { SOURCE_LIMITS, type SourceLimits } from './limits.js';
export type { ServiceTls } from './service-http.js';

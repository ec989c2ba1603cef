// The types of FHIR R4 (npm @types/fhir), by one door. Types only: no code of a FHIR library comes with them.
import type * as fhir4 from 'fhir/r4.js';

export type OperationOutcome = fhir4.OperationOutcome;
export type OperationOutcomeIssue = fhir4.OperationOutcomeIssue;
export type CodeableConcept = fhir4.CodeableConcept;
export type CapabilityStatement = fhir4.CapabilityStatement;
export type CapabilityStatementRestResource = fhir4.CapabilityStatementRestResource;
export type CapabilityStatementRestSecurity = fhir4.CapabilityStatementRestSecurity;
export type BundleLink = fhir4.BundleLink;

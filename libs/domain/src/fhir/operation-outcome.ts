import { errorRegistry, PortolanError, type ErrorCode, type ErrorEntry } from '@portolan/contracts';
import type { ValidationIssue } from './fhir-validator.port.js';
import type { CodeableConcept, OperationOutcome, OperationOutcomeIssue } from './fhir-types.js';

/** Code system of the error registry in `OperationOutcome.issue.details`. */
export const ERROR_SYSTEM = 'urn:portolan:error';

export interface FailureAnswer {
  /** HTTP status. */
  readonly status: number;
  readonly outcome: OperationOutcome;
}

/**
 * The answer to a failure: HTTP status and OperationOutcome (R4 §2.1.0.3.2, §OperationOutcome). An error names its code in
 * `issue.details.coding`; the findings of a validator become one issue each, with `expression` for the place. No content
 * of a record stands in it, because none stands in either argument.
 */
export function operationOutcome(failure: PortolanError | readonly ValidationIssue[]): FailureAnswer {
  return failure instanceof PortolanError ? ofError(failure) : ofIssues(failure);
}

function ofError(error: PortolanError): FailureAnswer {
  const { http, fhir, what, next } = error.entry;
  const detail = error.detail === undefined ? '' : ` (${error.detail})`;
  const issue: OperationOutcomeIssue = {
    severity: http >= 500 ? 'fatal' : 'error',
    code: issueCode(fhir),
    details: detailsOf(error.code, what),
    diagnostics: `${what} at ${error.where}${detail}. Next: ${next}.`,
  };
  return { status: http, outcome: { resourceType: 'OperationOutcome', issue: [issue] } };
}

function ofIssues(issues: readonly ValidationIssue[]): FailureAnswer {
  const entry: ErrorEntry = errorRegistry['fhir.resource-invalid'];
  const refused = issues.some((i) => i.severity === 'fatal' || i.severity === 'error');
  const status = refused ? entry.http : 200;
  if (issues.length === 0) return { status, outcome: allOk() };
  return { status, outcome: { resourceType: 'OperationOutcome', issue: issues.map((i) => ofIssue(i, entry)) } };
}

function ofIssue(issue: ValidationIssue, entry: ErrorEntry): OperationOutcomeIssue {
  const rule = issue.rule === undefined ? '' : `${issue.rule}: `;
  const coded = issue.severity === 'fatal' || issue.severity === 'error';
  return {
    severity: issue.severity,
    code: issue.code,
    ...(coded ? { details: detailsOf('fhir.resource-invalid', entry.what) } : {}),
    diagnostics: `${rule}${issue.reason} at ${issue.path}${coded ? `. Next: ${entry.next}.` : ''}`,
    expression: [issue.path],
  };
}

const detailsOf = (code: ErrorCode, display: string): CodeableConcept => ({
  coding: [{ system: ERROR_SYSTEM, code, display }],
  text: display,
});

/** The registry's `fhir` is checked against the value set by a test, so it is taken at its word. */
const issueCode = (code: string): OperationOutcomeIssue['code'] => code as OperationOutcomeIssue['code'];

/** The outcome of an act with nothing to report (R4 §OperationOutcome, example allok). */
export function allOk(): OperationOutcome {
  return { resourceType: 'OperationOutcome', issue: [{ severity: 'information', code: 'informational', details: { text: 'All OK' } }] };
}

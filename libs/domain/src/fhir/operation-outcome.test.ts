import { errorRegistry, PortolanError, type ErrorEntry } from '@portolan/contracts';
import { describe, expect, it } from 'vitest';
import { isRefused, type ValidationIssue } from './fhir-validator.port.js';
import { ERROR_SYSTEM, operationOutcome } from './operation-outcome.js';

/** http://hl7.org/fhir/R4/valueset-issue-type.html */
const ISSUE_TYPES = `invalid structure required value invariant security login unknown expired forbidden suppressed processing
  not-supported duplicate multiple-matches not-found deleted too-long code-invalid extension too-costly business-rule conflict
  transient lock-error no-store exception timeout incomplete throttled informational`.split(/\s+/);

describe('every failure has an OperationOutcome', () => {
  it.each(Object.entries<ErrorEntry>(errorRegistry))('%s names an issue type of R4 and a status of failure', (_code, entry) => {
    expect(ISSUE_TYPES).toContain(entry.fhir);
    expect(entry.http).toBeGreaterThanOrEqual(400);
  });

  it('an error brings its code, place and advice', () => {
    const { status, outcome } = operationOutcome(new PortolanError('fhir.search-value-invalid', 'Patient?birthdate', 'a date is expected'));
    expect(status).toBe(400);
    expect(outcome.issue).toHaveLength(1);
    expect(outcome.issue[0]).toMatchObject({ severity: 'error', code: 'value' });
    expect(outcome.issue[0]?.details?.coding?.[0]).toMatchObject({ system: ERROR_SYSTEM, code: 'fhir.search-value-invalid' });
    expect(outcome.issue[0]?.diagnostics).toContain('at Patient?birthdate (a date is expected). Next: ');
  });

  it('findings of the validator become one issue each, with their places', () => {
    const issues: ValidationIssue[] = [
      { severity: 'error', code: 'required', path: 'Observation.status', reason: 'the element is missing' },
      { severity: 'warning', code: 'invariant', path: 'Observation', reason: 'no narrative', rule: 'dom-6' },
    ];
    const { status, outcome } = operationOutcome(issues);
    expect(status).toBe(422);
    expect(isRefused(issues)).toBe(true);
    expect(outcome.issue.map((i) => [i.severity, i.code, i.expression?.[0]])).toEqual([
      ['error', 'required', 'Observation.status'],
      ['warning', 'invariant', 'Observation'],
    ]);
    expect(outcome.issue[1]?.diagnostics).toBe('dom-6: no narrative at Observation');
    expect(outcome.issue[1]?.details).toBeUndefined();
  });

  it('warnings alone, or nothing, is no failure', () => {
    expect(operationOutcome([{ severity: 'warning', code: 'invariant', path: 'Patient', reason: 'no narrative' }]).status).toBe(200);
    expect(operationOutcome([]).outcome.issue[0]).toMatchObject({ severity: 'information', code: 'informational' });
  });
});

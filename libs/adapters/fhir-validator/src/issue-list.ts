import type { ValidationIssue } from '@portolan/domain';

/** Most errors, and most remarks, of one validation: what is worse than this is told in part. */
const MAX_EACH = 100;

/** Collects findings, bounded. Remarks have a place of their own, so that however many they are no error is lost. */
export class IssueList {
  private readonly errors: ValidationIssue[] = [];
  private readonly remarks: ValidationIssue[] = [];

  add(issue: ValidationIssue): void {
    const list = issue.severity === 'fatal' || issue.severity === 'error' ? this.errors : this.remarks;
    if (list.length < MAX_EACH) list.push(issue);
  }

  error(code: ValidationIssue['code'], path: string, reason: string, rule?: string): void {
    this.add({ severity: 'error', code, path, reason, ...(rule === undefined ? {} : { rule }) });
  }

  get hasErrors(): boolean {
    return this.errors.length > 0;
  }

  /** In the order found, errors first. */
  all(): readonly ValidationIssue[] {
    return [...this.errors, ...this.remarks];
  }
}

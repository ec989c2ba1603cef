import type { ValidationIssue } from '@portolan/domain';

/** Most findings of one validation: what is worse than this is told in part. */
const MAX_ISSUES = 100;

/** Collects findings, bounded. */
export class IssueList {
  private readonly issues: ValidationIssue[] = [];

  add(issue: ValidationIssue): void {
    if (this.issues.length < MAX_ISSUES) this.issues.push(issue);
  }

  error(code: ValidationIssue['code'], path: string, reason: string, rule?: string): void {
    this.add({ severity: 'error', code, path, reason, ...(rule === undefined ? {} : { rule }) });
  }

  get hasErrors(): boolean {
    return this.issues.some(({ severity }) => severity !== 'warning' && severity !== 'information');
  }

  /** In the order found, errors before warnings. */
  all(): readonly ValidationIssue[] {
    const rank = ({ severity }: ValidationIssue): number => ['fatal', 'error', 'warning', 'information'].indexOf(severity);
    return [...this.issues].sort((a, b) => rank(a) - rank(b));
  }
}

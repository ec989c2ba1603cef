import type { ErrorCode } from '@portolan/contracts';

/** Something worth telling about one place; never a value. */
export interface Finding {
  readonly code: ErrorCode;
  readonly path: string;
  readonly rule: string;
}

/** How much a refusal takes with it. */
export type Severity = 'element' | 'entry' | 'document';

/** Ends the building of one object, entry or document: a value that it cannot do without is missing or broken. */
export class Refused extends Error {
  constructor(
    readonly finding: Finding,
    readonly severity: Severity,
  ) {
    super(finding.code);
    this.name = 'Refused';
  }
}

/**
 * A code that no concept map of its binding knows, and whose binding asks a person for a counterpart (`unmapped: queue`). It says nothing of
 * whose record the code stands in.
 */
export interface MappingQuestion {
  readonly system: string | undefined;
  readonly code: string;
  /** The concept map that the answer belongs in: the first that the binding names. */
  readonly map: string;
  readonly rule: string;
}

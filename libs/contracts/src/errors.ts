import { errorRegistry } from './generated/errors.js';

/** One entry of the error registry (libs/contracts/errors). */
export interface ErrorEntry {
  /** What failed, one plain sentence without a full stop. */
  readonly what: string;
  /** What to do next. */
  readonly next: string;
  /** Whether the same call may succeed later without a change. */
  readonly retriable: boolean;
  /** HTTP status at the edge. */
  readonly http: number;
  /** FHIR R4 issue-type code of the OperationOutcome. */
  readonly fhir: string;
  /** HL7 table 0357 code of the ERR segment, where the failure can meet an HL7 v2 sender. */
  readonly hl7?: string;
}

export type ErrorCode = keyof typeof errorRegistry;

/**
 * The one error of the house. Its texts never hold health data or personal data: `where` names a place (a path, a
 * segment, a step, an id), `detail` at most a technical value that is no content.
 */
export class PortolanError extends Error {
  readonly code: ErrorCode;
  readonly where: string;
  readonly detail: string | undefined;

  constructor(code: ErrorCode, where: string, detail?: string, options?: ErrorOptions) {
    const entry: ErrorEntry = errorRegistry[code];
    super(`${code}: ${entry.what} at ${where}${detail === undefined ? '' : ` (${detail})`}. Next: ${entry.next}.`, options);
    this.name = 'PortolanError';
    this.code = code;
    this.where = where;
    this.detail = detail;
  }

  get entry(): ErrorEntry {
    return errorRegistry[this.code];
  }

  get retriable(): boolean {
    return this.entry.retriable;
  }
}

/** Whether `code` stands in the registry (a code read from outside). */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorRegistry, code);
}

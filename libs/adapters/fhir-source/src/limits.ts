/** What one asking of a service may take. */
export interface SourceLimits {
  /** For one answer to arrive whole. */
  readonly answerMs: number;
  /** For the whole asking, attempts included. */
  readonly askingMs: number;
  readonly answerBytes: number;
  readonly totalBytes: number;
  readonly pages: number;
  readonly resources: number;
  /** Attempts at one address where the service is busy or does not answer. */
  readonly attempts: number;
  /** Requests under way at once. */
  readonly atOnce: number;
  /** After so many failed askings in a row the service is left alone for `restMs`. */
  readonly failuresToRest: number;
  readonly restMs: number;
  /** For which a service is left alone at the most where it names a time itself (`Retry-After`). */
  readonly longestRestMs: number;
}

export const SOURCE_LIMITS: SourceLimits = {
  answerMs: 5_000,
  askingMs: 15_000,
  answerBytes: 8_000_000,
  totalBytes: 50_000_000,
  pages: 200,
  resources: 5_000,
  attempts: 3,
  atOnce: 4,
  failuresToRest: 5,
  restMs: 10_000,
  longestRestMs: 600_000,
};

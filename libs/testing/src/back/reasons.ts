/** Differences (`differences` of sameness.ts) that a form cannot help, each under its reason. */
export interface Reasons {
  readonly all: readonly string[];
  /** The reasons that stand for a difference. */
  readonly of: (difference: string) => readonly string[];
  /** Differences for which there is no reason. */
  readonly unexplained: (found: readonly string[]) => readonly string[];
}

export function reasonsOf(list: Readonly<Record<string, RegExp>>): Reasons {
  const of = (difference: string): string[] =>
    Object.entries(list).flatMap(([reason, pattern]) => (pattern.test(difference) ? [reason] : []));
  return { all: Object.keys(list).toSorted(), of, unexplained: (found) => found.filter((one) => of(one).length === 0) };
}

import exceptions from './exceptions.json' with { type: 'json' };
import type { Row } from './rows.js';

/** Reasons and the beginnings of the keys of the rows to which they apply. */
const reasons: readonly (readonly [string, readonly string[]])[] = Object.entries<readonly string[]>(exceptions.reasons);

/** Why a row is not served on purpose; undefined where it should be. */
export function exceptionOf(row: Row): string | undefined {
  return reasons.find(([, beginnings]) => beginnings.some((beginning) => row.key.startsWith(beginning)))?.[0];
}

/** Beginnings that name no row, or one that is served all the same: mistakes of the list. */
export function idleExceptions(rows: readonly Row[], isServed: (row: Row) => boolean): string[] {
  return reasons.flatMap(([, beginnings]) =>
    beginnings.filter((beginning) => !rows.some((row) => row.key.startsWith(beginning) && !isServed(row))),
  );
}

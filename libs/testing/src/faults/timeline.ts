/** When something ended, in milliseconds since the stream began. */
export interface Moment {
  readonly at: number;
}

/** What a stream did around a fault. Seconds, one decimal. */
export interface Standstill {
  /** From the fault to the last record that still came before the longest silence. */
  readonly stoppedAfter: number;
  /** The longest time without a record from the fault on. */
  readonly silence: number;
  /** From when the fault was over to the first record after the longest silence; undefined where the silence ended before. */
  readonly resumedAfter: number | undefined;
}

const seconds = (ms: number): number => Math.round(ms / 100) / 10;

/**
 * The longest silence from `struck` on among the times at which records came, and how it lies to the fault. A stream that was still
 * silent when it ended is silent until `ended`.
 */
export function standstill(came: readonly Moment[], struck: number, healed: number, ended: number): Standstill {
  const times = came.map(({ at }) => at).sort((a, b) => a - b);
  const after = [struck, ...times.filter((at) => at > struck), ended];
  let [from, to] = [struck, struck];
  for (const [place, at] of after.entries()) {
    const before = after[place - 1] ?? struck;
    if (at - before > to - from) [from, to] = [before, at];
  }
  return {
    stoppedAfter: seconds(from - struck),
    silence: seconds(to - from),
    resumedAfter: to >= healed ? seconds(to - healed) : undefined,
  };
}

/** The p-th part of the values, nearest rank; 0 of none. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)] ?? 0;
}

const DAY = '2026-01-01'.length;

/**
 * Whether two times of events, as FHIR R4 writes them, are one: the same instant, or the same day where one of them says no more. Days are
 * compared as they were written, since that is the day where it happened. A month or a year is the same only where both say no more: within it may
 * lie two.
 */
export function sameTime(a: string, b: string): boolean {
  if (a === b) return true;
  if (a.includes('T') && b.includes('T')) return isOffset(a) && isOffset(b) && Date.parse(a) === Date.parse(b);
  return a.length >= DAY && b.length >= DAY && a.slice(0, DAY) === b.slice(0, DAY);
}

/** Whether two beginnings of what goes on may be one: the one is the other, said less exactly. */
export function compatibleTime(a: string, b: string): boolean {
  if (sameTime(a, b)) return true;
  const written = Math.min(a.length, b.length, DAY);
  return written < DAY && a.slice(0, written) === b.slice(0, written);
}

/** Days under which a time is found, as it was written and in UTC: two times that are one have a day in common. */
export const daysOf = (time: string): readonly string[] => [
  time.slice(0, DAY),
  ...(isOffset(time) && !Number.isNaN(Date.parse(time)) ? [`UTC ${new Date(time).toISOString().slice(0, DAY)}`] : []),
];

/** A time without an offset is no instant. */
const isOffset = (time: string): boolean => /(?:Z|[+-]\d{2}:\d{2})$/.test(time);

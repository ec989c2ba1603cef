import { bad, good, type Finding } from './finding.js';

const DAY_MS = 86_400_000;

/** A key or certificate by its end; wrong where fewer than `early` days are left. */
export function lasting(check: string, notAfter: string, nowMs: number, early: number, next: string): Finding {
  const days = Math.floor((Date.parse(notAfter) - nowMs) / DAY_MS);
  if (days < 0) return bad(check, `ended ${-days} days ago`, next);
  return days < early ? bad(check, `ends in ${days} days`, next) : good(check, `${days} days left`);
}

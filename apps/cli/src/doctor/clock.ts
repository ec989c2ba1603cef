import { bad, good, type Finding } from './finding.js';

/** Permits, limits and certificates are judged by time; the ledger's time is the orderer's. */
const MAX_OFFSET_MS = 5_000;

/** HTTP tells whole seconds (RFC 9110, section 5.6.7): half of one is added, and that much stays unknown. */
export function clockFinding(check: string, date: string | undefined, beforeMs: number, afterMs: number): Finding {
  const theirs = Date.parse(date ?? '') + 500;
  if (Number.isNaN(theirs)) return bad(check, 'the orderer told no time', 'Check that the address is an orderer of ours');
  return offsetFinding(
    check,
    (beforeMs + afterMs) / 2 - theirs,
    'orderer',
    'Set the clock of this machine by NTP, or have the orderer set its own',
  );
}

/** Our clock against another one's that was read at the same moment: `offsetMs` is positive where ours is ahead. */
export function offsetFinding(check: string, offsetMs: number, whose: string, next: string): Finding {
  const seconds = (Math.abs(offsetMs) / 1000).toFixed(1);
  if (Math.abs(offsetMs) <= MAX_OFFSET_MS) return good(check, `within ${seconds} s of the ${whose}'s`);
  return bad(check, `${seconds} s ${offsetMs > 0 ? 'ahead of' : 'behind'} the ${whose}'s`, next);
}

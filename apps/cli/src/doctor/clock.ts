import { bad, good, type Finding } from './finding.js';

/** Permits, limits and certificates are judged by time; the ledger's time is the orderer's. */
const MAX_OFFSET_MS = 5_000;

/** HTTP tells whole seconds (RFC 9110, section 5.6.7): half of one is added, and that much stays unknown. */
export function clockFinding(check: string, date: string | undefined, beforeMs: number, afterMs: number): Finding {
  const theirs = Date.parse(date ?? '') + 500;
  if (Number.isNaN(theirs)) return bad(check, 'the orderer told no time', 'Check that the address is an orderer of ours');
  const offset = (beforeMs + afterMs) / 2 - theirs;
  const seconds = (Math.abs(offset) / 1000).toFixed(1);
  if (Math.abs(offset) <= MAX_OFFSET_MS) return good(check, `within ${seconds} s of the orderer's`);
  return bad(
    check,
    `${seconds} s ${offset > 0 ? 'ahead of' : 'behind'} the orderer's`,
    'Set the clock of this machine by NTP, or have the orderer set its own',
  );
}

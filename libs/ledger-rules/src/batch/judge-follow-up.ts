import type { ErrorCode, Instant, StepLeaf } from '@portolan/contracts';
import { sha256Hex } from '@portolan/verify';
import { emergencyRecords, lateMistake } from '../emergency/emergency-lookup.js';
import { clockSkew, hour, plus, second } from '../instants.js';
import type { Look } from '../record-rule.js';
import type { RecordName } from '../state.js';
import type { FollowUp, Released } from './step-leaf.js';

/** How long the follow-up of a late release is awaited after the release was anchored. */
export const lateWindow = 24 * hour;

/** A step that stands: its exact text, its meaning, and the time of the transaction that anchored it. */
export interface Standing {
  readonly text: string;
  readonly leaf: StepLeaf;
  readonly at: Instant;
}

/** Beside the predecessor's batch. */
export function followUpRecords(leaf: FollowUp): RecordName[] {
  return leaf.step === 'expired' ? [] : emergencyRecords(leaf.late, leaf.from, leaf.to);
}

/** Why a step is refused whose predecessor stands; whatever became of the permit. */
export function judgeFollowUp(leaf: FollowUp, predecessor: Standing, look: Look): ErrorCode | undefined {
  const before = predecessor.leaf;
  if (leaf.predecessor !== sha256Hex(predecessor.text, look.sha256)) return 'ledger.predecessor-mismatch';
  if (leaf.transferId !== before.transferId || leaf.from !== before.from || leaf.to !== before.to) return 'ledger.predecessor-mismatch';
  return lateCode(leaf, look) ?? (leaf.step === 'adopted' ? adoptionMistake(before) : windowMistake(leaf, before, predecessor.at, look));
}

function lateCode(leaf: FollowUp, look: Look): ErrorCode | undefined {
  if (leaf.step === 'expired' || leaf.late === undefined) return undefined;
  if (leaf.time === undefined) return 'ledger.leaf-malformed';
  return lateMistake({ late: leaf.late, time: leaf.time, from: leaf.from, to: leaf.to }, look)?.code;
}

function adoptionMistake(before: StepLeaf): ErrorCode | undefined {
  return before.step === 'received' || before.step === 'released' ? undefined : 'ledger.predecessor-mismatch';
}

function windowMistake(leaf: FollowUp, before: StepLeaf, at: Instant, { time, clockWindowMs }: Look): ErrorCode | undefined {
  if (before.step !== 'released') return 'ledger.predecessor-mismatch';
  if (leaf.step === 'expired') return time <= expiresAfter(before, at, clockWindowMs) ? 'ledger.step-too-early' : undefined;
  return time <= closesAt(before, at) ? undefined : 'ledger.step-too-late';
}

/**
 * Last moment for received and refused, by their transaction's time. A late release was anchored after the channel came back, perhaps
 * after its own limit: its receiver gets a day from then.
 */
export function closesAt(release: Released, anchoredAt: Instant): Instant {
  const limit = plus(release.limit, release.graceSeconds * second);
  const late = release.late === undefined ? limit : plus(anchoredAt, lateWindow);
  return late > limit ? late : limit;
}

/**
 * After this moment a transfer may expire, by the transaction's time: twice the host's clock window after the last moment of received
 * and refused. Those, dated just in time, can stand in a block as much as one window later; and expired, dated just after this moment,
 * in a block as much as one window earlier. So whatever the clocks say, no block has room for both.
 */
export function expiresAfter(release: Released, anchoredAt: Instant, clockWindowMs: number = clockSkew): Instant {
  return plus(closesAt(release, anchoredAt), 2 * clockWindowMs);
}

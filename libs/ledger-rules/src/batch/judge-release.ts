import type { ErrorCode, Instant, PermitEndRecord, PermitRecord } from '@portolan/contracts';
import { emergencyRecords, lateMistake } from '../emergency/emergency-lookup.js';
import { day, isInstant, plus } from '../instants.js';
import type { Look } from '../record-rule.js';
import { partRecords, takesPart } from '../registry/participants.js';
import { names, type RecordName } from '../state.js';
import { standingsBetween, suspendedBetween } from '../suspension/suspensions.js';
import type { Released } from './step-leaf.js';

/** Furthest limit of a release. */
export const limitTerm = 7 * day;

/** What a release rests on. */
export function releaseRecords({ from, to, permitId, late }: Released): RecordName[] {
  return [
    names.permit(from, permitId),
    names.permitEnd(from, permitId),
    ...[from, to].flatMap(partRecords),
    ...standingsBetween(from, to),
    ...emergencyRecords(late, from, to),
  ];
}

/** Why a release is refused: no release without a live permit of this custodian for this recipient (invariant 3). */
export function judgeRelease(leaf: Released, look: Look): ErrorCode | undefined {
  const { late, time } = leaf;
  if (late === undefined) return partiesMistake(leaf, look) ?? permitMistake(leaf, look.time, look) ?? limitMistake(leaf, look.time);
  if (time === undefined) return 'ledger.leaf-malformed';
  const wrong = partiesMistake(leaf, look) ?? lateMistake({ late, time, from: leaf.from, to: leaf.to }, look)?.code;
  return wrong ?? permitMistake(leaf, time, look) ?? limitMistake(leaf, time);
}

function partiesMistake({ from, to }: Released, look: Look): ErrorCode | undefined {
  if (from === to) return 'ledger.parties-invalid';
  if (!takesPart(from, look) || !takesPart(to, look)) return 'ledger.participant-unknown';
  return suspendedBetween(from, to, look) ? 'ledger.suspended' : undefined;
}

/** `moment`: the transaction's time, or for a late step the time at which it happened. */
function permitMistake(leaf: Released, moment: Instant, look: Look): ErrorCode | undefined {
  const permit = look.entry<PermitRecord>(names.permit(leaf.from, leaf.permitId))?.record;
  if (permit === undefined) return 'ledger.permit-unknown';
  if (permit.recipient !== leaf.to) return 'ledger.permit-foreign';
  if (leaf.late !== undefined && permit.purpose !== 'ETREAT') return 'ledger.permit-purpose';
  if (endedBefore(leaf, moment, look)) return 'ledger.permit-ended';
  return moment < permit.until ? undefined : 'ledger.permit-expired';
}

/** A late release happened while the permit stood, if it happened before the permit's end reached the channel. */
function endedBefore({ from, permitId, late }: Released, moment: Instant, look: Look): boolean {
  const end = look.entry<PermitEndRecord>(names.permitEnd(from, permitId));
  return end !== undefined && (late === undefined || end.at <= moment);
}

function limitMistake({ limit }: Released, moment: Instant): ErrorCode | undefined {
  if (!isInstant(limit)) return 'ledger.leaf-malformed';
  return moment < limit && limit <= plus(moment, limitTerm) ? undefined : 'ledger.step-limit';
}

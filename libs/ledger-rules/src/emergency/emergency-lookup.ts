import type { EmergencyEndRecord, EmergencyRecord, Instant, OrgId } from '@portolan/contracts';
import { clockSkew, isInstant, plus } from '../instants.js';
import type { Look } from '../record-rule.js';
import { refusal, type Refusal } from '../rule.js';
import { names, type Entry, type RecordName } from '../state.js';

/** Either country may have declared the emergency that a late act names. */
export function emergencyRecords(id: string | undefined, custodian: OrgId, recipient: OrgId): RecordName[] {
  if (id === undefined) return [];
  return [custodian, recipient].flatMap((owner) => [names.emergency(owner, id), names.emergencyEnd(owner, id)]);
}

/** The emergency between these two countries, in this direction. */
export function emergencyBetween(id: string, custodian: OrgId, recipient: OrgId, look: Look): Entry<EmergencyRecord> | Refusal {
  const entry = [custodian, recipient].map((owner) => look.entry<EmergencyRecord>(names.emergency(owner, id))).find((e) => e !== undefined);
  if (entry === undefined) return refusal('ledger.emergency-unknown', 'late');
  const { record } = entry;
  return record.custodian === custodian && record.recipient === recipient ? entry : refusal('ledger.emergency-foreign', 'late');
}

/** What a late act says of itself. */
export interface LateAct {
  readonly late: string;
  readonly time: Instant;
  readonly from: OrgId;
  readonly to: OrgId;
}

/** Whether a late act happened between declaration and end of its emergency, and not in the future. */
export function lateMistake(act: LateAct, look: Look): Refusal | undefined {
  const found = emergencyBetween(act.late, act.from, act.to, look);
  if ('ok' in found) return found;
  const end = look.entry<EmergencyEndRecord>(names.emergencyEnd(found.record.by, act.late));
  const last = end !== undefined && end.at < found.record.until ? end.at : found.record.until;
  const covered = isInstant(act.time) && found.record.declared <= act.time && act.time <= last && act.time <= plus(look.time, clockSkew);
  return covered ? undefined : refusal('ledger.emergency-not-covering', 'late');
}

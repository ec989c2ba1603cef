import type { EmergencyEndRecord, EmergencyRecord, EmergencyReviewRecord } from '@portolan/contracts';
import { clockSkew, day, hour, isInstant, plus } from '../instants.js';
import { recordRule, type Look } from '../record-rule.js';
import { partRecords, takesPart } from '../registry/participants.js';
import { refusal, type Refusal } from '../rule.js';
import { names } from '../state.js';

/** Longest emergency, and the latest day for its review after its limit. */
export const emergencyTerm = 72 * hour;
export const reviewTerm = 30 * day;

export const declareEmergency = recordRule<EmergencyRecord>({
  name: 'declare-emergency',
  schema: 'emergency-record',
  role: 'notary',
  owner: ({ by }) => by,
  target: ({ by, id }) => names.emergency(by, id),
  restsOn: ({ custodian, recipient }) => [custodian, recipient].flatMap(partRecords),
  check: emergencyMistake,
});

export const endEmergency = recordRule<EmergencyEndRecord>({
  name: 'end-emergency',
  schema: 'emergency-end-record',
  role: 'notary',
  target: ({ id }, owner) => names.emergencyEnd(owner, id),
  restsOn: ({ id }, owner) => [names.emergency(owner, id)],
  check: ({ id }, look) =>
    look.has(names.emergency(look.caller.org, id)) ? undefined : refusal('ledger.record-unknown', 'end-emergency id'),
});

export const reviewEmergency = recordRule<EmergencyReviewRecord>({
  name: 'review-emergency',
  schema: 'emergency-review-record',
  role: 'notary',
  target: ({ id }, owner) => names.emergencyReview(owner, id),
  restsOn: ({ id }, owner) => [names.emergency(owner, id), names.emergencyEnd(owner, id)],
  check: reviewMistake,
});

function emergencyMistake(emergency: EmergencyRecord, look: Look): Refusal | undefined {
  const { by, custodian, recipient } = emergency;
  if (custodian === recipient || (by !== custodian && by !== recipient)) return refusal('ledger.parties-invalid', 'declare-emergency');
  if (!takesPart(custodian, look) || !takesPart(recipient, look)) return refusal('ledger.participant-unknown', 'declare-emergency');
  if (![emergency.declared, emergency.until, emergency.reviewDue].every(isInstant))
    return refusal('ledger.args-invalid', 'declare-emergency');
  return withinTerms(emergency, look) ? undefined : refusal('ledger.emergency-term', 'declare-emergency');
}

function withinTerms({ declared, until, reviewDue }: EmergencyRecord, { time }: Look): boolean {
  const limited = declared < until && until <= plus(declared, emergencyTerm) && declared <= plus(time, clockSkew);
  return limited && until <= reviewDue && reviewDue <= plus(until, reviewTerm);
}

function reviewMistake({ id }: EmergencyReviewRecord, look: Look): Refusal | undefined {
  const { org } = look.caller;
  const emergency = look.entry<EmergencyRecord>(names.emergency(org, id))?.record;
  if (emergency === undefined) return refusal('ledger.record-unknown', 'review-emergency id');
  const over = look.has(names.emergencyEnd(org, id)) || emergency.until <= look.time;
  return over ? undefined : refusal('ledger.emergency-open', 'review-emergency id');
}

import type { ConsentRecord, EmergencyRecord, PermitEndRecord, PermitRecord, PutPermitsArgs } from '@portolan/contracts';
import { emergencyBetween, emergencyRecords } from '../emergency/emergency-lookup.js';
import { day, isInstant, plus } from '../instants.js';
import { recordRule, type Look } from '../record-rule.js';
import { partRecords, takesPart } from '../registry/participants.js';
import { refusal, type Refusal, type Rule, type Write } from '../rule.js';
import { names } from '../state.js';

/** Longest time that a permit may run. */
export const permitTerm = 30 * day;

export const putConsent = recordRule<ConsentRecord>({
  name: 'put-consent',
  schema: 'consent-record',
  role: 'notary',
  owner: ({ custodian }) => custodian,
  target: ({ custodian, id }) => names.consent(custodian, id),
});

export const putPermit = recordRule<PermitRecord>({
  name: 'put-permit',
  schema: 'permit-record',
  role: 'notary',
  owner: ({ custodian }) => custodian,
  target: ({ custodian, id }) => names.permit(custodian, id),
  restsOn: (permit) => [...partRecords(permit.recipient), ...emergencyRecords(permit.late, permit.custodian, permit.recipient)],
  check: permitMistake,
});

/** As many permits as wait together: each is judged as one that comes by itself, and they stand all or none. */
export const putPermits: Rule<PutPermitsArgs> = {
  name: 'put-permits',
  schema: 'put-permits-args',
  role: 'notary',
  maxChars: 131_072,
  reads: ({ permits }, caller, validators) => permits.flatMap((permit) => putPermit.reads(permit, caller, validators)),
  decide: ({ permits }, scene) => {
    const writes: Write[] = [];
    const seen = new Set<string>();
    for (const [i, permit] of permits.entries()) {
      const where = `put-permits permits/${i}`;
      if (seen.has(permit.id)) return refusal('ledger.already-written', where);
      seen.add(permit.id);
      const decision = putPermit.decide(permit, scene);
      if (!decision.ok) return refusal(decision.code, where);
      writes.push(...decision.writes);
    }
    return { ok: true, writes };
  },
};

/** A permit's end says nothing but which: withdrawal, replacement, restriction and expiry look alike. */
export const endPermit = recordRule<PermitEndRecord>({
  name: 'end-permit',
  schema: 'permit-end-record',
  role: 'notary',
  target: ({ permitId }, owner) => names.permitEnd(owner, permitId),
  restsOn: ({ permitId }, owner) => [names.permit(owner, permitId)],
  check: ({ permitId }, look) =>
    look.has(names.permit(look.caller.org, permitId)) ? undefined : refusal('ledger.record-unknown', 'end-permit permitId'),
});

function permitMistake(permit: PermitRecord, look: Look): Refusal | undefined {
  if (permit.recipient === permit.custodian) return refusal('ledger.parties-invalid', 'put-permit recipient');
  if (!takesPart(permit.recipient, look)) return refusal('ledger.participant-unknown', 'put-permit recipient');
  if (!isInstant(permit.until)) return refusal('ledger.args-invalid', 'put-permit until');
  if (permit.until > plus(look.time, permitTerm)) return refusal('ledger.permit-term', 'put-permit until');
  if (permit.late !== undefined) return latePermitMistake(permit, permit.late, look);
  return permit.until > look.time ? undefined : refusal('ledger.permit-term', 'put-permit until');
}

/** A permit granted while the channel could not be reached may be over when it is anchored; it may not outlast its emergency. */
function latePermitMistake(permit: PermitRecord, emergencyId: string, look: Look): Refusal | undefined {
  const found = emergencyBetween(emergencyId, permit.custodian, permit.recipient, look);
  if ('ok' in found) return found;
  if (permit.purpose !== 'ETREAT') return refusal('ledger.permit-purpose', 'put-permit purpose');
  return withinEmergency(permit, found.record) ? undefined : refusal('ledger.emergency-not-covering', 'put-permit until');
}

const withinEmergency = (permit: PermitRecord, emergency: EmergencyRecord): boolean =>
  emergency.declared < permit.until && permit.until <= emergency.until;

import type { OrgId, ParticipantEndRecord, ParticipantRecord, PolicyRecord } from '@portolan/contracts';
import { recordRule } from '../record-rule.js';
import type { Records } from '../records.js';
import { refusal } from '../rule.js';
import { names, type RecordName } from '../state.js';

/** The records that say whether an organisation takes part. */
export const partRecords = (org: OrgId): RecordName[] => [names.participant(org), names.participantEnd(org)];

/** Whether an organisation is registered and has not left. */
export function takesPart(org: OrgId, look: Pick<Records, 'has'>): boolean {
  return look.has(names.participant(org)) && !look.has(names.participantEnd(org));
}

export const putParticipant = recordRule<ParticipantRecord>({
  name: 'put-participant',
  schema: 'participant-record',
  role: 'governance',
  owner: ({ org }) => org,
  target: ({ org }) => names.participant(org),
});

export const endParticipant = recordRule<ParticipantEndRecord>({
  name: 'end-participant',
  schema: 'participant-end-record',
  role: 'governance',
  owner: ({ org }) => org,
  target: ({ org }) => names.participantEnd(org),
  restsOn: ({ org }) => [names.participant(org)],
  check: ({ org }, look) => (look.has(names.participant(org)) ? undefined : refusal('ledger.record-unknown', 'end-participant org')),
});

export const putPolicy = recordRule<PolicyRecord>({
  name: 'put-policy',
  schema: 'policy-record',
  role: 'governance',
  owner: ({ org }) => org,
  target: ({ org, hash }) => names.policy(org, hash),
});

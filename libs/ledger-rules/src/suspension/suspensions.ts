import type {
  MisuseCaseRecord,
  OrgId,
  ParticipantRecord,
  StandingRecord,
  SuspensionEndRecord,
  SuspensionRecord,
} from '@portolan/contracts';
import { recordRule, type Look } from '../record-rule.js';
import { partRecords, takesPart } from '../registry/participants.js';
import { refusal, type Refusal, type Write } from '../rule.js';
import { names, recordWrites, type RecordName } from '../state.js';

export const openMisuseCase = recordRule<MisuseCaseRecord>({
  name: 'open-misuse-case',
  schema: 'misuse-case-record',
  role: 'notary',
  owner: ({ by }) => by,
  target: ({ by, id }) => names.misuseCase(by, id),
  restsOn: ({ about }) => partRecords(about),
  check: ({ about }, look) => (takesPart(about, look) ? undefined : refusal('ledger.participant-unknown', 'open-misuse-case about')),
});

/** A country suspends itself, towards all, or its exchange with one other country, in both directions. */
export const suspend = recordRule<SuspensionRecord>({
  name: 'suspend',
  schema: 'suspension-record',
  role: 'governance',
  owner: ({ by }) => by,
  target: ({ by, id }) => names.suspension(by, id),
  restsOn: ({ by, org }) => [names.standing(by, org), ...[by, org].flatMap(partRecords)],
  check: suspensionMistake,
  also: ({ by, org, id }, look) => standingWrites(names.standing(by, org), { v: 1, id, stands: true }, look),
});

export const endSuspension = recordRule<SuspensionEndRecord>({
  name: 'end-suspension',
  schema: 'suspension-end-record',
  role: 'governance',
  owner: ({ by }) => by,
  target: ({ by, id }) => names.suspensionEnd(by, id),
  restsOn: ({ by, org }) => [names.standing(by, org)],
  check: ({ by, org, id }, look) =>
    standsAs(names.standing(by, org), look) === id ? undefined : refusal('ledger.suspension-absent', 'end-suspension id'),
  also: ({ by, org, id }, look) => standingWrites(names.standing(by, org), { v: 1, id, stands: false }, look),
});

/** Whose suspensions stop a release between two countries: their own of themselves, and each one's of the other. */
export function standingsBetween(from: OrgId, to: OrgId): RecordName[] {
  return [names.standing(from, from), names.standing(to, to), names.standing(from, to), names.standing(to, from)];
}

export function suspendedBetween(from: OrgId, to: OrgId, look: Look): boolean {
  return standingsBetween(from, to).some((name) => standsAs(name, look) !== undefined);
}

function suspensionMistake({ by, org }: SuspensionRecord, look: Look): Refusal | undefined {
  // A regulator opens a case and the countries suspend: one organisation that could stop all the others would be a centre.
  if (look.entry<ParticipantRecord>(names.participant(by))?.record.kind !== 'country')
    return refusal('ledger.parties-invalid', 'suspend by');
  if (!takesPart(org, look)) return refusal('ledger.participant-unknown', 'suspend org');
  return standsAs(names.standing(by, org), look) === undefined ? undefined : refusal('ledger.suspension-stands', 'suspend org');
}

/** Id of the suspension that stands. */
function standsAs(name: RecordName, look: Look): string | undefined {
  const standing = look.entry<StandingRecord>(name)?.record;
  return standing?.stands === true ? standing.id : undefined;
}

function standingWrites(name: RecordName, standing: StandingRecord, look: Look): Write[] {
  return recordWrites(name, standing, look.time).map((write) => ({ ...write, again: true }));
}

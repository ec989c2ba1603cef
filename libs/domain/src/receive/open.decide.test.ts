import type { ExchangeRequest, PermitOpening, ReleasedStep } from '@portolan/contracts';
import { describe, expect, it } from 'vitest';
import { mayDecrypt, mayDecryptLate, mayKeep, type AfterOpening, type BeforeLateOpening, type BeforeOpening } from './open.decide.js';

const now = Date.parse('2026-11-21T10:00:00.000Z');
const at = (ms: number): string => new Date(now + ms).toISOString();
const hash = (digit: string): string => digit.repeat(64);
const transferId = '22222222-2222-4222-8222-222222222222';
const permitId = '33333333-3333-4333-8333-333333333333';

const leaf: ReleasedStep = {
  v: 1,
  step: 'released',
  transferId,
  from: 'EE',
  to: 'PT',
  by: 'EE',
  permitId,
  ciphertextHash: hash('a'),
  commitment: hash('b'),
  limit: at(60_000),
  graceSeconds: 600,
};
const before = (change: Partial<BeforeOpening> = {}): BeforeOpening => ({
  now,
  standing: { step: 'stands', permit: 'live' },
  leaf,
  root: hash('a'),
  transferId,
  from: 'EE',
  to: 'PT',
  ...change,
});

describe('before anything is decrypted', () => {
  it('a step that stands, under a live permit, for exactly these bytes, may be opened', () => {
    expect(mayDecrypt(before())).toEqual({ may: true });
  });

  it('a step that our copy does not show yet is waited for, until its limit', () => {
    const notVisible = { standing: { step: 'not-visible', permit: 'unknown' } } as const;
    expect(mayDecrypt(before(notVisible))).toEqual({ may: 'wait' });
    expect(mayDecrypt(before({ ...notVisible, now: now + 60_000 }))).toEqual({ may: false, reason: 'step-missing' });
  });

  it.each<[string, Partial<BeforeOpening>]>([
    ['step-mismatch', { leaf: undefined }],
    ['step-mismatch', { standing: { step: 'mismatch', permit: 'live' } }],
    ['step-mismatch', { root: hash('c') }],
    ['step-mismatch', { transferId: '44444444-4444-4444-8444-444444444444' }],
    ['step-mismatch', { from: 'BE' }],
    ['step-mismatch', { to: 'DE' }],
    ['permit-ended', { standing: { step: 'stands', permit: 'ended' } }],
    ['permit-expired', { standing: { step: 'stands', permit: 'expired' } }],
    ['permit-foreign', { standing: { step: 'stands', permit: 'foreign' } }],
    ['permit-foreign', { standing: { step: 'stands', permit: 'unknown' } }],
    ['limit-passed', { now: now + 60_000 }],
  ])('%s', (reason, change) => {
    expect(mayDecrypt(before(change))).toEqual({ may: false, reason });
  });
});

const identifier = { system: 'urn:demo', value: '47101010033' };
const actor = {
  kind: 'professional' as const,
  name: 'Dr Test',
  id: { system: 'urn:p', value: '1' },
  role: 'doctor',
  organisation: { id: { system: 'urn:o', value: '1' }, name: 'Hospital' },
};
const asked: ExchangeRequest = {
  v: 1,
  kind: 'record',
  transferId,
  from: 'PT',
  to: 'EE',
  purpose: 'TREAT',
  actor,
  traits: { identifiers: [identifier] },
  categories: ['laboratory'],
  caseId: '55555555-5555-4555-8555-555555555555',
  time: at(0),
  limit: at(60_000),
};
const emergency = { id: '99999999-9999-4999-8999-999999999999', reason: 'unconscious', declared: at(-60_000), until: at(3_600_000) };
const beforeLate = (change: Partial<BeforeLateOpening> = {}): BeforeLateOpening => ({
  now,
  leaf: { ...leaf, late: emergency.id, time: at(-1000) },
  root: hash('a'),
  transferId,
  from: 'EE',
  to: 'PT',
  channelDown: true,
  permit: 'unknown',
  asked: { ...asked, purpose: 'ETREAT', emergency },
  emergencyLives: true,
  ...change,
});

describe('on the sender’s word for a late release', () => {
  it('opens in our own emergency, with our own channel down', () => {
    expect(mayDecryptLate(beforeLate())).toEqual({ may: true });
    expect(mayDecryptLate(beforeLate({ permit: 'live' }))).toEqual({ may: true });
  });

  it.each<[string, Partial<BeforeLateOpening>]>([
    ['our channel can be reached', { channelDown: false }],
    ['our emergency is over, or was never declared', { emergencyLives: false }],
    ['we asked for treatment', { asked: { ...asked, emergency } }],
    ['we asked under no emergency', { asked: { ...asked, purpose: 'ETREAT' } }],
    ['we asked under another emergency', { asked: { ...asked, purpose: 'ETREAT', emergency: { ...emergency, id: permitId } } }],
    ['the leaf is not late', { leaf }],
  ])('waits for the step where %s, and refuses at its limit', (_case, change) => {
    expect(mayDecryptLate(beforeLate(change))).toEqual({ may: 'wait' });
    expect(mayDecryptLate(beforeLate({ ...change, now: now + 60_000 }))).toEqual({ may: false, reason: 'step-missing' });
  });

  it.each<[string, Partial<BeforeLateOpening>]>([
    ['step-mismatch', { root: hash('c') }],
    ['step-mismatch', { from: 'BE' }],
    ['permit-ended', { permit: 'ended' }],
    ['permit-expired', { permit: 'expired' }],
    ['permit-foreign', { permit: 'foreign' }],
    ['step-missing', { now: now + 60_000 }],
  ])('%s', (reason, change) => {
    expect(mayDecryptLate(beforeLate(change))).toEqual({ may: false, reason });
  });
});

const opening: PermitOpening = {
  v: 1,
  salt: 'A'.repeat(43),
  permitId,
  custodian: 'EE',
  recipient: 'PT',
  purpose: 'TREAT',
  until: at(60_000),
  ground: 'consent',
  person: identifier,
  categories: ['laboratory'],
  duties: [],
};
const patientUrl = 'urn:uuid:66666666-6666-4666-8666-666666666666';
const record = JSON.stringify({
  resourceType: 'Bundle',
  type: 'collection',
  entry: [
    { fullUrl: patientUrl, resource: { resourceType: 'Patient', id: patientUrl.slice(9), identifier: [identifier] } },
    {
      fullUrl: 'urn:uuid:77777777-7777-4777-8777-777777777777',
      resource: {
        resourceType: 'Observation',
        id: '77777777-7777-4777-8777-777777777777',
        status: 'final',
        category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'laboratory' }] }],
        code: { text: 'Glucose' },
        subject: { reference: patientUrl },
      },
    },
  ],
});
const after = (change: Partial<AfterOpening> = {}): AfterOpening => ({
  asked,
  opening,
  leaf,
  plaintextCommitment: hash('b'),
  permitCommitment: hash('d'),
  anchoredPermitCommitment: hash('d'),
  record,
  late: false,
  ...change,
});

describe('after decrypting, before anybody reads', () => {
  it('keeps what the permit covers and we asked for', () => {
    expect(mayKeep(after())).toBeUndefined();
  });

  it('of a late release compares the permit where it stands, and takes no ground but the emergency', () => {
    const late = { late: true, opening: { ...opening, ground: 'emergency' as const } };
    expect(mayKeep(after({ ...late, anchoredPermitCommitment: undefined }))).toBeUndefined();
    expect(mayKeep(after(late))).toBeUndefined();
    expect(mayKeep(after({ ...late, anchoredPermitCommitment: hash('e') }))).toBe('opening-mismatch');
    expect(mayKeep(after({ late: true, anchoredPermitCommitment: undefined }))).toBe('opening-mismatch');
    expect(mayKeep(after({ ...late, anchoredPermitCommitment: undefined, plaintextCommitment: hash('c') }))).toBe('signature-invalid');
  });

  it.each<[string, string, Partial<AfterOpening>]>([
    ['the signed bytes are not those committed to', 'signature-invalid', { plaintextCommitment: hash('c') }],
    ['the opening is not what the channel committed to', 'opening-mismatch', { permitCommitment: hash('c') }],
    ['no such permit stands', 'opening-mismatch', { anchoredPermitCommitment: undefined }],
    ['another permit', 'opening-mismatch', { opening: { ...opening, permitId: '88888888-8888-4888-8888-888888888888' } }],
    ['another recipient', 'opening-mismatch', { opening: { ...opening, recipient: 'BE' } }],
    ['another purpose', 'opening-mismatch', { opening: { ...opening, purpose: 'HRESCH' } }],
    ['another person', 'opening-mismatch', { opening: { ...opening, person: { ...identifier, value: '0' } } }],
    ['a category that was not asked for', 'opening-mismatch', { opening: { ...opening, categories: ['laboratory', 'imaging'] } }],
    [
      'more in the record than the permit covers',
      'opening-mismatch',
      { opening: { ...opening, categories: ['imaging'] }, asked: { ...asked, categories: ['imaging'] } },
    ],
  ])('%s', (_case, reason, change) => {
    expect(mayKeep(after(change))).toBe(reason);
  });
});

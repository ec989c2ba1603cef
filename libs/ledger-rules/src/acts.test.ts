import { createHash, generateKeyPairSync } from 'node:crypto';
import { type KeyRecord, type PublicJwk, Validators } from '@portolan/contracts';
import { thumbprint } from '@portolan/verify';
import { describe, expect, it } from 'vitest';
import { uuid, type MemoryLedger } from './testing/memory-ledger.js';
import { at, channel, channelWithPermit, digest, emergency, emergencyPermit, noon, permit } from './testing/scene.js';
import { signerOf, signerReads } from './registry/signer.js';
import { keyText, type Caller, type Decision } from './rule.js';
import { rules } from './rules.js';
import { findRecord, keysOf, names } from './state.js';

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();
const deps = { sha256, validators: new Validators() };
const newJwk = (): PublicJwk => {
  const { kty, crv, x, y } = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
  return { kty, crv, x, y } as PublicJwk;
};
const jwk = newJwk();
const kid = thumbprint(jwk, sha256);
const key: KeyRecord = { v: 1, org: 'EE', kid, use: 'ledger', jwk, notBefore: at('00:00'), notAfter: '2027-11-21T00:00:00.000Z' };
const ca: KeyRecord = {
  v: 1,
  org: 'EE',
  kid,
  use: 'ca',
  cert: `-----BEGIN CERTIFICATE-----\n${'A'.repeat(64)}`,
  notBefore: at('00:00'),
  notAfter: '2030-01-01T00:00:00.000Z',
};
const suspension = { v: 1, id: uuid(20), by: 'BE', org: 'EE', caseId: uuid(21) };
const misuse = { v: 1, id: uuid(21), by: 'REG', about: 'EE', commitment: digest };
const latePermit = { ...emergencyPermit, id: uuid(5), late: emergency.id, until: at('09:00') };

interface Row {
  readonly why: string;
  readonly fn: string;
  readonly args: unknown;
  /** The owner in the role that the act belongs to, unless said. */
  readonly as?: string | Caller;
  readonly time?: string;
  /** Acts that go before. */
  readonly given?: (ledger: MemoryLedger) => void;
  readonly is: string;
}

function play({ fn, args, as = 'EE', time = noon, given }: Row, ledger: MemoryLedger = channelWithPermit(deps)): Decision {
  given?.(ledger);
  const caller = typeof as === 'string' ? { org: as, role: rules[fn]?.role ?? 'notary' } : as;
  return ledger.run(fn, args, caller, time);
}

const accepted: Row[] = [
  { why: 'a participant', fn: 'put-participant', args: { v: 1, org: 'LV', kind: 'country' }, as: 'LV', is: 'participant' },
  { why: 'a participant leaves', fn: 'end-participant', args: { v: 1, org: 'EE' }, is: 'participant-end' },
  { why: 'a key', fn: 'put-key', args: key, is: `key/${kid}` },
  { why: 'a CA', fn: 'put-key', args: ca, is: `key/${kid}` },
  {
    why: "a key's end",
    fn: 'end-key',
    args: { v: 1, org: 'EE', kid },
    given: (l) => l.must('put-key', key, 'EE', noon),
    is: `key-end/${kid}`,
  },
  { why: 'a policy', fn: 'put-policy', args: { v: 1, org: 'EE', hash: digest }, is: `policy/${digest}` },
  { why: 'a consent', fn: 'put-consent', args: { v: 1, id: uuid(7), custodian: 'EE', commitment: digest }, is: `consent/${uuid(7)}` },
  {
    why: 'a permit of 30 days',
    fn: 'put-permit',
    args: { ...permit, id: uuid(7), until: '2026-12-21T12:00:00.000Z' },
    is: `permit/${uuid(7)}`,
  },
  {
    why: 'several permits together',
    fn: 'put-permits',
    args: { v: 1, permits: [7, 8, 9].map((n) => ({ ...permit, id: uuid(n) })) },
    is: `permit/${uuid(9)}`,
  },
  { why: 'a late permit that is over', fn: 'put-permit', args: latePermit, is: `permit/${latePermit.id}` },
  { why: "a permit's end", fn: 'end-permit', args: { v: 1, permitId: permit.id }, is: `permit-end/${permit.id}` },
  { why: 'an emergency by the custodian', fn: 'declare-emergency', args: { ...emergency, by: 'EE' }, is: `emergency/${emergency.id}` },
  { why: "an emergency's end", fn: 'end-emergency', args: { v: 1, id: emergency.id }, as: 'PT', is: `emergency-end/${emergency.id}` },
  {
    why: 'a review after the limit',
    fn: 'review-emergency',
    args: { v: 1, id: emergency.id, outcome: 'justified', commitment: digest },
    as: 'PT',
    time: at('18:00'),
    is: `emergency-review/${emergency.id}`,
  },
  {
    why: 'a review after the end',
    fn: 'review-emergency',
    args: { v: 1, id: emergency.id, outcome: 'not-justified', commitment: digest },
    as: 'PT',
    given: (l) => l.must('end-emergency', { v: 1, id: emergency.id }, 'PT', noon),
    is: `emergency-review/${emergency.id}`,
  },
  { why: 'a misuse case by a regulator', fn: 'open-misuse-case', args: misuse, as: 'REG', is: `misuse-case/${misuse.id}` },
  { why: 'a suspension of a partner', fn: 'suspend', args: suspension, as: 'BE', is: `suspension/${suspension.id}` },
  { why: 'a suspension of itself', fn: 'suspend', args: { ...suspension, by: 'EE' }, is: `suspension/${suspension.id}` },
  {
    why: "a suspension's end",
    fn: 'end-suspension',
    args: { v: 1, id: suspension.id, by: 'BE', org: 'EE' },
    as: 'BE',
    given: (l) => l.must('suspend', suspension, 'BE', noon),
    is: `suspension-end/${suspension.id}`,
  },
];

describe('an act is written twice: for all to read, and as its owner’s word', () => {
  it.each(accepted)('$why', (row) => {
    const ledger = channelWithPermit(deps);
    const decision = play(row, ledger);
    expect(decision).toMatchObject({ ok: true });
    const name = { owner: typeof row.as === 'string' ? row.as : 'EE', key: row.is };
    const found = findRecord(name, ledger.values(keysOf(name)), sha256);
    expect(found).toMatchObject({ is: 'present', entry: { v: 1, by: name.owner, at: row.time ?? noon } });
  });

  it.each(accepted)('$why: not a second time', (row) => {
    const ledger = channelWithPermit(deps);
    play(row, ledger);
    expect(play({ ...row, given: () => undefined }, ledger).ok).toBe(false);
  });
});

const registry = { org: 'EE', role: 'governance' } as const;
const notary = { org: 'EE', role: 'notary' } as const;
const refusedActs: Row[] = [
  { why: 'an act nobody knows', fn: 'drop-table', args: {}, is: 'ledger.rule-unknown' },
  { why: 'the name of an object property', fn: 'constructor', args: {}, is: 'ledger.rule-unknown' },
  { why: 'arguments of another version', fn: 'put-policy', args: { v: 2, org: 'EE', hash: digest }, is: 'ledger.args-invalid' },
  { why: 'a field too many', fn: 'put-permit', args: { ...permit, reason: 'free text' }, is: 'ledger.args-invalid' },
  { why: 'a registry act by the running process', fn: 'put-key', args: key, as: notary, is: 'ledger.role-refused' },
  { why: 'a permit by the governance identity', fn: 'put-permit', args: permit, as: registry, is: 'ledger.role-refused' },
  { why: "another country's key", fn: 'put-key', args: key, as: 'PT', is: 'ledger.not-owner' },
  { why: "another country's permit", fn: 'put-permit', args: { ...permit, id: uuid(7) }, as: 'PT', is: 'ledger.not-owner' },
  {
    why: "another country's consent",
    fn: 'put-consent',
    args: { v: 1, id: uuid(7), custodian: 'EE', commitment: digest },
    as: 'PT',
    is: 'ledger.not-owner',
  },
  { why: "another country's suspension", fn: 'suspend', args: suspension, as: 'PT', is: 'ledger.not-owner' },
  {
    why: 'permits of which one is written already',
    fn: 'put-permits',
    args: { v: 1, permits: [{ ...permit, id: uuid(7) }, permit] },
    is: 'ledger.already-written',
  },
  {
    why: 'the same permit twice at once',
    fn: 'put-permits',
    args: { v: 1, permits: [7, 8, 7].map((n) => ({ ...permit, id: uuid(n) })) },
    is: 'ledger.already-written',
  },
  {
    why: 'permits of which one is for a stranger',
    fn: 'put-permits',
    args: {
      v: 1,
      permits: [
        { ...permit, id: uuid(7) },
        { ...permit, id: uuid(8), recipient: 'LV' },
      ],
    },
    is: 'ledger.participant-unknown',
  },
  {
    why: "permits of which one is another country's",
    fn: 'put-permits',
    args: {
      v: 1,
      permits: [
        { ...permit, id: uuid(7) },
        { ...permit, id: uuid(8), custodian: 'BE' },
      ],
    },
    is: 'ledger.not-owner',
  },
  { why: 'no permits', fn: 'put-permits', args: { v: 1, permits: [] }, is: 'ledger.args-invalid' },
  {
    why: 'more permits than go together',
    fn: 'put-permits',
    args: { v: 1, permits: Array.from({ length: 201 }, (_, n) => ({ ...permit, id: uuid(100 + n) })) },
    is: 'ledger.args-invalid',
  },
  { why: 'the same permit again', fn: 'put-permit', args: permit, is: 'ledger.already-written' },
  { why: 'a key of nobody', fn: 'put-key', args: { ...key, org: 'LV' }, as: 'LV', is: 'ledger.participant-unknown' },
  {
    why: 'a key of one who left',
    fn: 'put-key',
    args: key,
    given: (l) => l.must('end-participant', { v: 1, org: 'EE' }, 'EE', noon),
    is: 'ledger.participant-unknown',
  },
  { why: 'a key under another name', fn: 'put-key', args: { ...key, kid: 'another' }, is: 'ledger.key-mismatch' },
  { why: 'a key that ended before', fn: 'put-key', args: { ...key, notAfter: at('11:00') }, is: 'ledger.key-term' },
  { why: 'a key valid backwards', fn: 'put-key', args: { ...key, notBefore: '2028-01-01T00:00:00.000Z' }, is: 'ledger.key-term' },
  { why: 'a key for eleven years', fn: 'put-key', args: { ...key, notAfter: '2037-11-21T00:00:00.000Z' }, is: 'ledger.key-term' },
  { why: 'a key until no day', fn: 'put-key', args: { ...key, notAfter: '2027-02-31T00:00:00.000Z' }, is: 'ledger.args-invalid' },
  { why: 'the end of no key', fn: 'end-key', args: { v: 1, org: 'EE', kid }, is: 'ledger.record-unknown' },
  { why: 'the end of no participant', fn: 'end-participant', args: { v: 1, org: 'LV' }, as: 'LV', is: 'ledger.record-unknown' },
  { why: 'a permit for oneself', fn: 'put-permit', args: { ...permit, id: uuid(7), recipient: 'EE' }, is: 'ledger.parties-invalid' },
  { why: 'a permit for a stranger', fn: 'put-permit', args: { ...permit, id: uuid(7), recipient: 'LV' }, is: 'ledger.participant-unknown' },
  { why: 'a permit that is over', fn: 'put-permit', args: { ...permit, id: uuid(7), until: noon }, is: 'ledger.permit-term' },
  {
    why: 'a permit over 30 days',
    fn: 'put-permit',
    args: { ...permit, id: uuid(7), until: '2026-12-21T12:00:00.001Z' },
    is: 'ledger.permit-term',
  },
  {
    why: 'a permit until no day',
    fn: 'put-permit',
    args: { ...permit, id: uuid(7), until: '2026-99-01T00:00:00.000Z' },
    is: 'ledger.args-invalid',
  },
  { why: 'a late permit of no emergency', fn: 'put-permit', args: { ...latePermit, late: uuid(99) }, is: 'ledger.emergency-unknown' },
  {
    why: "a late permit of others' emergency",
    fn: 'put-permit',
    args: { ...latePermit, custodian: 'PT', recipient: 'EE' },
    as: 'PT',
    is: 'ledger.emergency-foreign',
  },
  { why: 'a late permit for another purpose', fn: 'put-permit', args: { ...latePermit, purpose: 'TREAT' }, is: 'ledger.permit-purpose' },
  {
    why: 'a late permit beyond its emergency',
    fn: 'put-permit',
    args: { ...latePermit, until: at('18:01') },
    is: 'ledger.emergency-not-covering',
  },
  { why: 'the end of no permit', fn: 'end-permit', args: { v: 1, permitId: uuid(99) }, is: 'ledger.record-unknown' },
  { why: "the end of another's permit", fn: 'end-permit', args: { v: 1, permitId: permit.id }, as: 'PT', is: 'ledger.record-unknown' },
  { why: "others' emergency", fn: 'declare-emergency', args: { ...emergency, by: 'BE' }, as: 'BE', is: 'ledger.parties-invalid' },
  {
    why: 'an emergency with oneself',
    fn: 'declare-emergency',
    args: { ...emergency, custodian: 'PT' },
    as: 'PT',
    is: 'ledger.parties-invalid',
  },
  {
    why: 'an emergency with a stranger',
    fn: 'declare-emergency',
    args: { ...emergency, id: uuid(7), custodian: 'LV' },
    as: 'PT',
    is: 'ledger.participant-unknown',
  },
  {
    why: 'an emergency of four days',
    fn: 'declare-emergency',
    args: { ...emergency, id: uuid(7), until: '2026-11-25T06:00:00.000Z' },
    as: 'PT',
    is: 'ledger.emergency-term',
  },
  {
    why: 'an emergency in the future',
    fn: 'declare-emergency',
    args: { ...emergency, id: uuid(7), declared: at('12:03') },
    as: 'PT',
    is: 'ledger.emergency-term',
  },
  {
    why: 'an emergency without a time',
    fn: 'declare-emergency',
    args: { ...emergency, id: uuid(7), until: emergency.declared },
    as: 'PT',
    is: 'ledger.emergency-term',
  },
  {
    why: 'a review due before the limit',
    fn: 'declare-emergency',
    args: { ...emergency, id: uuid(7), reviewDue: at('17:00') },
    as: 'PT',
    is: 'ledger.emergency-term',
  },
  {
    why: 'a review due in a year',
    fn: 'declare-emergency',
    args: { ...emergency, id: uuid(7), reviewDue: '2027-11-21T00:00:00.000Z' },
    as: 'PT',
    is: 'ledger.emergency-term',
  },
  {
    why: 'an emergency until no day',
    fn: 'declare-emergency',
    args: { ...emergency, id: uuid(7), reviewDue: '2026-11-31T00:00:00.000Z' },
    as: 'PT',
    is: 'ledger.args-invalid',
  },
  { why: "the end of another's emergency", fn: 'end-emergency', args: { v: 1, id: emergency.id }, is: 'ledger.record-unknown' },
  {
    why: 'a review of nothing',
    fn: 'review-emergency',
    args: { v: 1, id: uuid(99), outcome: 'justified', commitment: digest },
    is: 'ledger.record-unknown',
  },
  {
    why: 'a review while it lasts',
    fn: 'review-emergency',
    args: { v: 1, id: emergency.id, outcome: 'justified', commitment: digest },
    as: 'PT',
    is: 'ledger.emergency-open',
  },
  { why: 'a case about a stranger', fn: 'open-misuse-case', args: { ...misuse, about: 'LV' }, as: 'REG', is: 'ledger.participant-unknown' },
  { why: 'a suspension of a stranger', fn: 'suspend', args: { ...suspension, org: 'LV' }, as: 'BE', is: 'ledger.participant-unknown' },
  { why: 'a suspension by a regulator', fn: 'suspend', args: { ...suspension, by: 'REG' }, as: 'REG', is: 'ledger.parties-invalid' },
  {
    why: 'a second suspension',
    fn: 'suspend',
    args: { ...suspension, id: uuid(22) },
    as: 'BE',
    given: (l) => l.must('suspend', suspension, 'BE', noon),
    is: 'ledger.suspension-stands',
  },
  {
    why: 'the end of no suspension',
    fn: 'end-suspension',
    args: { v: 1, id: uuid(20), by: 'BE', org: 'EE' },
    as: 'BE',
    is: 'ledger.suspension-absent',
  },
  {
    why: 'the end of another suspension',
    fn: 'end-suspension',
    args: { v: 1, id: uuid(22), by: 'BE', org: 'EE' },
    as: 'BE',
    given: (l) => l.must('suspend', suspension, 'BE', noon),
    is: 'ledger.suspension-absent',
  },
  {
    why: 'an emergency whose public bytes were altered',
    fn: 'end-emergency',
    args: { v: 1, id: emergency.id },
    as: 'PT',
    given: (l) => l.state.set(keyText(keysOf(names.emergency('PT', emergency.id))[0]), new TextEncoder().encode('{}')),
    is: 'ledger.record-forged',
  },
  {
    why: 'a permit whose bytes no rule has written',
    fn: 'end-permit',
    args: { v: 1, permitId: permit.id },
    given: (l) => keysOf(names.permit('EE', permit.id)).forEach((k) => l.state.set(keyText(k), new TextEncoder().encode('{'))),
    is: 'ledger.record-forged',
  },
  {
    why: 'a permit that has public bytes alone',
    fn: 'end-permit',
    args: { v: 1, permitId: permit.id },
    given: (l) => l.state.delete(keyText(keysOf(names.permit('EE', permit.id))[1])),
    is: 'ledger.record-unknown',
  },
  {
    why: 'a permit that has no public bytes',
    fn: 'end-permit',
    args: { v: 1, permitId: permit.id },
    given: (l) => l.state.delete(keyText(keysOf(names.permit('EE', permit.id))[0])),
    is: 'ledger.record-forged',
  },
];

describe('an act is refused', () => {
  it.each(refusedActs)('$why: $is', (row) => {
    const ledger = channelWithPermit(deps);
    row.given?.(ledger);
    const before = new Map(ledger.state);
    expect(play({ ...row, given: () => undefined }, ledger)).toMatchObject({ ok: false, code: row.is });
    expect(ledger.state).toEqual(before);
  });
});

it('a suspension may stand again under a new id', () => {
  const ledger = channel(deps);
  ledger.must('suspend', suspension, 'BE', noon);
  ledger.must('end-suspension', { v: 1, id: suspension.id, by: 'BE', org: 'EE' }, 'BE', noon);
  ledger.must('suspend', { ...suspension, id: uuid(30) }, 'BE', noon);
});

it('what a permit ended by withdrawal leaves is what one ended by expiry leaves', () => {
  const ends = [noon, noon].map((time) => {
    const ledger = channelWithPermit(deps);
    ledger.must('end-permit', { v: 1, permitId: permit.id }, 'EE', time);
    return ledger.state.get(keyText(keysOf(names.permitEnd('EE', permit.id))[0]));
  });
  expect(ends[0]).toEqual(ends[1]);
});

it.each(accepted)('public keys that others wrote change nothing: $why', (row) => {
  const [honest, squatted] = [channelWithPermit(deps), channelWithPermit(deps)];
  const owner = typeof row.as === 'string' ? row.as : 'EE';
  row.given?.(honest);
  row.given?.(squatted);
  const rule = rules[row.fn];
  const reads = rule?.reads(row.args, { org: owner, role: rule.role }, deps.validators) ?? [];
  for (const key of reads) {
    const stands = squatted.state.has(keyText(key)) || key.space === 'owned';
    if (!stands)
      squatted.state.set(keyText(key), new TextEncoder().encode('{"v":1,"by":"EE","at":"2026-01-01T00:00:00.000Z","record":{}}'));
  }
  expect(play({ ...row, given: () => undefined }, squatted)).toEqual(play({ ...row, given: () => undefined }, honest));
});

describe('who signed', () => {
  const claim = { org: 'EE', role: 'notary', kid, time: noon } as const;
  const ask = (ledger: MemoryLedger, change: object = {}): unknown => {
    const asked = { ...claim, ...change };
    return signerOf(asked, { values: ledger.values(signerReads(asked.org, asked.kid)), sha256 });
  };
  const registered = (): MemoryLedger => {
    const ledger = channel(deps);
    ledger.must('put-key', key, 'EE', noon);
    return ledger;
  };
  it('answers with the registered key', () => expect(ask(registered())).toEqual({ ok: true, jwk }));
  it.each([
    ['an unknown key', { kid: 'other' }, 'ledger.key-unknown'],
    ["another country's key", { org: 'PT' }, 'ledger.key-unknown'],
    ['a key of another use', { role: 'governance' }, 'ledger.key-unknown'],
    ['no participant', { org: 'LV' }, 'ledger.participant-unknown'],
    ['a time before the key', { time: '2026-11-20T00:00:00.000Z' }, 'ledger.key-not-valid'],
    ['a time after the key', { time: key.notAfter }, 'ledger.key-not-valid'],
  ])('refuses %s', (_, change, code) => expect(ask(registered(), change)).toMatchObject({ ok: false, code }));
  it('refuses an ended key, whatever time is claimed', () => {
    const ledger = registered();
    ledger.must('end-key', { v: 1, org: 'EE', kid }, 'EE', at('13:00'));
    expect(ask(ledger, { time: noon })).toMatchObject({ ok: false, code: 'ledger.key-not-valid' });
  });
  it('refuses a key that somebody else wrote', () => {
    const ledger = registered();
    ledger.state.delete(keyText(keysOf(names.key('EE', kid))[1]));
    expect(ask(ledger)).toMatchObject({ ok: false, code: 'ledger.key-unknown' });
  });
});

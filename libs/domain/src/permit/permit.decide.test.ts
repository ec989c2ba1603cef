import type { ConsentContent, DataCategory, ExchangeRequest, Policy, RestrictionContent } from '@portolan/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HoldingEmergency } from '../emergency/index.js';
import { ensurePersonId } from '../kernel/ids.js';
import type { Person } from '../store/edge-tx.port.js';
import { decidePermit, type PermitFacts } from './permit.decide.js';

const now = Date.parse('2026-11-21T10:00:00.000Z');
const later = (ms: number): string => new Date(now + ms).toISOString();
const identifier = { system: 'urn:demo', value: '47101010033' };
const actor = {
  kind: 'professional' as const,
  name: 'Dr Test',
  id: { system: 'urn:p', value: '1' },
  role: 'doctor',
  organisation: { id: { system: 'urn:o', value: '1' }, name: 'Hospital' },
};
const person: Person = {
  id: ensurePersonId('11111111-1111-4111-8111-111111111111'),
  identifiers: [identifier],
  birthDate: '1971-01-01',
  family: 'naidis',
  given: 'mari',
};

const request: ExchangeRequest = {
  v: 1,
  kind: 'record',
  transferId: '22222222-2222-4222-8222-222222222222',
  from: 'PT',
  to: 'EE',
  purpose: 'TREAT',
  actor,
  traits: { identifiers: [identifier], birthDate: '1971-01-01' },
  categories: ['summary', 'laboratory', 'imaging'],
  caseId: '33333333-3333-4333-8333-333333333333',
  time: later(0),
  limit: later(900_000),
};

const rule = {
  id: 'by-consent',
  ground: 'consent' as const,
  purposes: ['TREAT' as const],
  categories: ['summary' as const, 'laboratory' as const, 'imaging' as const],
  consent: 'required' as const,
  blockedBy: ['opt-out' as const, 'restriction' as const],
  permitHours: 24,
  duties: ['destroy-at-end'],
};
const byTreatment = { ...rule, id: 'treatment', ground: 'treatment' as const, consent: 'not-required' as const };
const inEmergency = {
  ...byTreatment,
  id: 'emergency',
  ground: 'emergency' as const,
  purposes: ['ETREAT' as const],
  blockedBy: [],
  emergency: true,
};
const policyOf = (...rules: Policy['rules']): Policy => ({
  v: 1,
  country: 'EE',
  version: '1',
  illustrative: true,
  title: 'Test',
  rules,
  openWithinMinutes: 30,
  graceSeconds: 600,
  emergencyReviewHours: 72,
  negativeAnswerMs: 1500,
});

const consent: ConsentContent = {
  v: 1,
  id: '44444444-4444-4444-8444-444444444444',
  version: 1,
  custodian: 'EE',
  recipients: ['PT'],
  purposes: ['TREAT'],
  categories: ['summary', 'laboratory'],
  until: later(86_400_000 * 7),
  givenAt: later(0),
  givenBy: { ...actor, kind: 'person', role: 'person' },
  salt: 'A'.repeat(43),
};
const restriction = (change: Partial<RestrictionContent>): RestrictionContent => ({
  v: 1,
  id: '55555555-5555-4555-8555-555555555555',
  kind: 'restriction',
  recipients: [],
  purposes: [],
  categories: [],
  at: later(0),
  by: { ...actor, kind: 'person' },
  ...change,
});

const facts = (change: Partial<PermitFacts> = {}): PermitFacts => ({
  request,
  now,
  policy: policyOf(rule),
  demandedTraits: ['birthDate'],
  candidates: [person],
  consents: [{ state: 'live', content: consent }],
  restrictions: [],
  present: ['summary', 'laboratory', 'imaging'],
  suspended: false,
  emergency: undefined,
  ...change,
});

const declared = (change: Partial<HoldingEmergency> = {}): HoldingEmergency => ({
  id: '77777777-7777-4777-8777-777777777777',
  declared: later(-60_000),
  until: later(3_600_000),
  late: false,
  ...change,
});

describe('a grant in an emergency', () => {
  const inNeed = { ...request, purpose: 'ETREAT' as const };
  const byConsentToo = { ...rule, purposes: ['ETREAT' as const, 'TREAT' as const] };

  it('does not outlast its emergency', () => {
    const soon = declared({ until: later(60_000) });
    expect(decidePermit(facts({ request: inNeed, policy: policyOf(inEmergency), emergency: soon }))).toMatchObject({ until: now + 60_000 });
  });

  it('is late while the channel cannot be reached, and takes the emergency before every ground that would have to wait', () => {
    const consents = [{ state: 'live' as const, content: { ...consent, purposes: ['ETREAT' as const] } }];
    const known = { request: inNeed, policy: policyOf(byConsentToo, inEmergency), consents };
    const late = declared({ late: true });
    expect(decidePermit(facts({ ...known, emergency: declared() }))).toMatchObject({ ground: 'consent', late: undefined });
    expect(decidePermit(facts({ ...known, emergency: late }))).toMatchObject({ ground: 'emergency', late });
  });

  it('is not late for treatment: that waits for the channel', () => {
    const late = declared({ late: true });
    expect(decidePermit(facts({ emergency: late }))).toMatchObject({ kind: 'grant', ground: 'consent', late: undefined });
    const everyPurpose = { ...inEmergency, purposes: ['TREAT' as const] };
    expect(decidePermit(facts({ policy: policyOf(everyPurpose), emergency: late }))).toMatchObject({ kind: 'grant', late: undefined });
  });
});

describe('a grant', () => {
  it('covers what was asked, permitted by rule and consent, and is there', () => {
    expect(decidePermit(facts({ present: ['laboratory', 'imaging'] }))).toMatchObject({
      kind: 'grant',
      ground: 'consent',
      categories: ['laboratory'],
      consent: { id: consent.id, version: 1 },
      duties: ['destroy-at-end'],
    });
  });

  it('ends with the rule, the consent or the request, whichever is first', () => {
    const soon = { ...consent, until: later(60_000) };
    expect(decidePermit(facts({ consents: [{ state: 'live', content: soon }] }))).toMatchObject({
      until: now + 60_000,
      limit: now + 60_000,
    });
    expect(decidePermit(facts())).toMatchObject({ until: now + 86_400_000, limit: now + 900_000 });
  });

  it('needs no consent where the law of the custodian does not ask for one', () => {
    expect(decidePermit(facts({ policy: policyOf(byTreatment), consents: [] }))).toMatchObject({ kind: 'grant', ground: 'treatment' });
  });

  it('leaves out a restricted category as if there were none', () => {
    const restricted = facts({ policy: policyOf(byTreatment), restrictions: [restriction({ categories: ['imaging'] })] });
    expect(decidePermit(restricted)).toMatchObject({ categories: ['summary', 'laboratory'] });
  });

  it('reaches past an opt-out in a declared emergency alone', () => {
    const emergency = {
      request: { ...request, purpose: 'ETREAT' as const },
      policy: policyOf(byTreatment, inEmergency),
      restrictions: [restriction({ kind: 'opt-out' })],
    };
    expect(decidePermit(facts({ ...emergency, emergency: declared() }))).toMatchObject({
      kind: 'grant',
      ground: 'emergency',
      late: undefined,
    });
    expect(decidePermit(facts(emergency))).toMatchObject({ reason: 'emergency-not-declared' });
  });

  it('takes the later of the two beginnings', () => {
    const since = facts({
      request: { ...request, since: '2026-01-01' },
      consents: [{ state: 'live', content: { ...consent, since: '2026-06-01' } }],
    });
    expect(decidePermit(since)).toMatchObject({ since: '2026-06-01' });
  });
});

describe('a denial says why, to those who may know', () => {
  const someoneElse = { ...person, id: ensurePersonId('66666666-6666-4666-8666-666666666666') };
  it.each<[string, Partial<PermitFacts>]>([
    ['unknown-person', { candidates: [] }],
    ['unknown-person', { request: { ...request, traits: { identifiers: [identifier] } } }],
    ['several-matches', { candidates: [person, someoneElse] }],
    ['no-data', { present: [] }],
    ['opted-out', { restrictions: [restriction({ kind: 'opt-out' })] }],
    ['opted-out', { restrictions: [restriction({ kind: 'opt-out', recipients: ['PT'] })] }],
    ['restricted', { restrictions: [restriction({})] }],
    ['restricted', { restrictions: [restriction({ recipients: ['PT'], purposes: ['TREAT'] })] }],
    ['no-ground', { consents: [] }],
    ['no-ground', { policy: policyOf() }],
    ['no-ground', { request: { ...request, purpose: 'HRESCH' } }],
    ['no-ground', { consents: [{ state: 'live', content: { ...consent, recipients: ['BE'] } }] }],
    ['no-ground', { consents: [{ state: 'live', content: { ...consent, until: later(-1) } }] }],
    ['withdrawn', { consents: [{ state: 'withdrawn', content: consent }] }],
    ['suspended', { suspended: true }],
    ['request-stale', { request: { ...request, limit: later(-1) } }],
  ])('%s', (reason, change) => {
    expect(decidePermit(facts(change))).toMatchObject({ kind: 'denial', reason });
  });

  it('does not touch another country, purpose or category', () => {
    const elsewhere = [restriction({ recipients: ['DE'] }), restriction({ purposes: ['HPAYMT'] }), restriction({ categories: ['claim'] })];
    expect(decidePermit(facts({ restrictions: elsewhere }))).toMatchObject({ kind: 'grant', categories: ['summary', 'laboratory'] });
  });
});

it('never grants a category that request, rule, consent and record do not all hold (invariant 3)', () => {
  const category = fc.constantFrom<DataCategory>('summary', 'laboratory', 'imaging', 'medication', 'claim');
  const some = fc.uniqueArray(category, { maxLength: 5 });
  fc.assert(
    fc.property(some, some, some, some, some, (asked, allowed, consented, present, barred) => {
      const decided = decidePermit(
        facts({
          request: { ...request, categories: asked },
          policy: policyOf({ ...rule, categories: allowed }),
          consents: [{ state: 'live', content: { ...consent, categories: consented } }],
          restrictions: barred.map((one) => restriction({ categories: [one] })),
          present,
        }),
      );
      if (decided.kind === 'denial') return true;
      const covered = decided.categories.every((one) => [asked, allowed, consented, present].every((list) => list.includes(one)));
      return covered && decided.categories.length > 0 && !decided.categories.some((one) => barred.includes(one));
    }),
  );
});

describe('ages', () => {
  const proxies = [{ relationship: 'PRN' as const, acts: ['consent' as const] }];
  const aged = (...rules: Policy['rules']): Policy => ({ ...policyOf(...rules), personAge: { ownWordFrom: 16, proxies } });
  const born = (birthDate: string | undefined): Partial<PermitFacts> => ({ candidates: [{ ...person, birthDate }] });
  const given = (role: string): PermitFacts['consents'] => [
    { state: 'live', content: { ...consent, givenBy: { ...consent.givenBy, role } } },
  ];
  const longConsent = (days: number): PermitFacts['consents'] => [
    { state: 'live', content: { ...consent, until: later(86_400_000 * days), givenBy: { ...consent.givenBy, role: 'PRN' } } },
  ];
  const outcome = (change: Partial<PermitFacts>): string => {
    const decided = decidePermit(facts({ policy: aged(rule), ...change }));
    return decided.kind === 'grant' ? 'grant' : decided.reason;
  };

  it.each<[string, Partial<PermitFacts>, string]>([
    ['her own permission counts from the age of her own word', { ...born('2010-11-21'), consents: given('person') }, 'grant'],
    ['and the day before it does not', { ...born('2010-11-22'), consents: given('person') }, 'no-ground'],
    ['a parent’s counts until then', { ...born('2010-11-22'), consents: given('PRN') }, 'grant'],
    ['and from that day on it has ended', { ...born('2010-11-21'), consents: given('PRN') }, 'no-ground'],
    ['a guardian’s does not, whom the policy does not name', { ...born('2015-01-01'), consents: given('GUARD') }, 'no-ground'],
    ['nobody’s, who is named in no policy at all', { ...born('2015-01-01'), consents: given('doctor') }, 'no-ground'],
    ['nobody’s, where her age is not known', { ...born(undefined), consents: given('PRN') }, 'no-ground'],
    ['nor her own then', { ...born('2010'), consents: given('person') }, 'no-ground'],
    [
      'no proxy’s, where the policy says nothing of ages',
      { ...born('2015-01-01'), consents: given('PRN'), policy: policyOf(rule) },
      'no-ground',
    ],
  ])('%s', (_case, change, expected) => {
    expect(outcome(change)).toBe(expected);
  });

  it.each<[string, string, string]>([
    ['ends with the day before her word is her own', '2010-11-22', '2026-11-22T00:00:00.000Z'],
    ['ends so also where the month alone is known', '2010-12', '2026-12-01T00:00:00.000Z'],
    ['ends when the parent said, where that is sooner', '2015-05-05', later(86_400_000 * 7)],
  ])('a permit on a parent’s permission %s', (_case, birthDate, until) => {
    const longest = { ...rule, permitHours: 720 };
    const decided = decidePermit(
      facts({ policy: aged(longest), ...born(birthDate), consents: longConsent(birthDate === '2015-05-05' ? 7 : 60) }),
    );
    expect(decided.kind === 'grant' ? new Date(decided.until).toISOString() : decided.reason).toBe(until);
  });

  it.each<[string, string | undefined, string]>([
    ['who has reached it', '2008-11-21', 'grant'],
    ['who has not', '2008-11-22', 'no-ground'],
    ['of whom it is not known', undefined, 'no-ground'],
    ['of whom the year alone is known, and it may not be', '2008', 'no-ground'],
    ['of whom the year alone is known, and it is enough', '2007', 'grant'],
  ])('a rule with an age holds for a person %s', (_case, birthDate, expected) => {
    expect(outcome({ ...born(birthDate), policy: aged({ ...byTreatment, minimumAge: 18 }) })).toBe(expected);
  });
});

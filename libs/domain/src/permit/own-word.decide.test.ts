import type { BusinessIdentifier } from '@portolan/contracts';
import { describe, expect, it } from 'vitest';
import type { Principal } from '../access/token.port.js';
import { hasReached, wordBar, type Saying, type Speaker, type WordFacts } from './own-word.decide.js';
import { speakerFor, speakingActor } from './speaker.js';

const at = (day: string): number => Date.parse(`${day}T12:00:00.000Z`);
const now = at('2026-11-21');
const policy: WordFacts['policy'] = {
  personAge: {
    ownWordFrom: 16,
    proxies: [
      { relationship: 'PRN', acts: ['consent', 'restriction', 'read'] },
      { relationship: 'GUARD', acts: ['consent'] },
    ],
  },
};
const [adult, child, unknown, vague] = ['1971-01-01', '2015-05-05', undefined, '2010'];

describe('an age', () => {
  it.each<[string | undefined, number, string, boolean | undefined]>([
    ['2010-11-21', 16, '2026-11-21', true],
    ['2010-11-22', 16, '2026-11-21', false],
    ['2010-02-28', 16, '2026-02-28', true],
    ['2008-02-29', 18, '2026-02-28', false],
    ['2008-02-29', 18, '2026-03-01', true],
    ['2008-02-29', 16, '2024-02-29', true],
    ['2010-11', 16, '2026-11-21', undefined],
    ['2010-11', 16, '2026-12-01', true],
    ['2010-12', 16, '2026-11-30', false],
    ['2010', 16, '2026-11-21', undefined],
    ['2009', 16, '2026-11-21', true],
    ['2011', 16, '2026-11-21', false],
    ['2030-01-01', 0, '2026-11-21', false],
    [undefined, 0, '2026-11-21', undefined],
    ['unknown', 16, '2026-11-21', undefined],
  ])('born %s, %i years on %s: %s', (birthDate, years, day, reached) => {
    expect(hasReached(birthDate, years, at(day))).toBe(reached);
  });
});

describe('whose word counts', () => {
  const none = 'ground.not-represented';
  const young = 'ground.not-of-age';
  const dark = 'ground.age-unknown';
  const counts = 'it counts';
  it.each<[Speaker, string | undefined, Saying, string]>([
    ['herself', adult, 'consent-give', counts],
    ['herself', adult, 'consent-withdraw', counts],
    ['herself', adult, 'restriction-set', counts],
    ['herself', adult, 'restriction-lift', counts],
    ['herself', child, 'consent-give', young],
    ['herself', child, 'consent-withdraw', young],
    ['herself', child, 'restriction-set', young],
    ['herself', child, 'restriction-lift', young],
    ['herself', child, 'read', counts],
    ['herself', unknown, 'consent-give', dark],
    ['herself', vague, 'restriction-lift', dark],
    ['herself', unknown, 'consent-withdraw', counts],
    ['herself', vague, 'restriction-set', counts],
    ['PRN', child, 'consent-give', counts],
    ['PRN', child, 'consent-withdraw', counts],
    ['PRN', child, 'restriction-set', counts],
    ['PRN', child, 'restriction-lift', counts],
    ['PRN', child, 'read', counts],
    ['GUARD', child, 'consent-give', counts],
    ['GUARD', child, 'restriction-set', none],
    ['GUARD', child, 'read', none],
    ['PRN', adult, 'consent-give', none],
    ['PRN', adult, 'consent-withdraw', none],
    ['PRN', adult, 'read', none],
    ['PRN', unknown, 'consent-give', dark],
    ['PRN', vague, 'read', dark],
  ])('%s, born %s, %s: %s', (speaker, birthDate, saying, verdict) => {
    expect(wordBar({ speaker, saying, birthDate, policy, now }) ?? counts).toBe(verdict);
  });

  it('is everybody’s own and no proxy’s, where the policy says nothing of ages or of proxies', () => {
    const facts = { saying: 'consent-give', birthDate: child, now } as const;
    expect(wordBar({ ...facts, speaker: 'herself', policy: {} })).toBeUndefined();
    expect(wordBar({ ...facts, speaker: 'PRN', policy: {} })).toBe(none);
    expect(wordBar({ ...facts, speaker: 'PRN', policy: { personAge: { ownWordFrom: 16 } } })).toBe(none);
  });
});

describe('as what somebody speaks of a record', () => {
  const id = (value: string): BusinessIdentifier => ({ system: 'urn:id', value });
  const parent: Principal = {
    kind: 'person',
    subject: 's',
    issuer: 'i',
    clientId: 'c',
    scopes: [],
    personIdentifier: id('parent'),
    represents: [{ person: id('child'), relationship: 'PRN' }],
  };

  it('is told by the token alone: herself, the proxy that it names, or nobody', () => {
    const as = (principal: Principal, ...values: string[]): unknown => speakerFor(principal, { identifiers: values.map(id) });
    expect([as(parent, 'parent'), as(parent, 'other', 'child'), as(parent, 'other'), as(parent)]).toEqual([
      'herself',
      'PRN',
      undefined,
      undefined,
    ]);
    expect(as({ ...parent, kind: 'operator' }, 'child')).toBeUndefined();
    expect(speakingActor(parent, 'PRN')).toMatchObject({
      id: id('parent'),
      role: 'PRN',
      organisation: { name: 'For the person, as her proxy' },
    });
    expect(speakingActor(parent, 'herself')).toMatchObject({ role: 'person' });
  });
});

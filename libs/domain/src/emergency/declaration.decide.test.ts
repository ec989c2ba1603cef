import { PortolanError, type Actor } from '@portolan/contracts';
import { describe, expect, it } from 'vitest';
import { declarable, type DeclarationFacts } from './declaration.decide.js';

const now = Date.parse('2026-11-21T10:00:00.000Z');
const HOUR = 3_600_000;
const at = (ms: number): string => new Date(now + ms).toISOString();
const id = { system: 'urn:portolan:demo:pt:professional', value: 'D00001' };
const actor: Actor = { kind: 'professional', name: 'Dr Ana Ensaio', id, role: 'doctor', organisation: { id, name: 'Demo hospital' } };
const facts = (change: Partial<DeclarationFacts> = {}): DeclarationFacts => ({
  country: 'EE',
  until: at(HOUR),
  acting: { actor, purposes: ['ETREAT'] },
  partners: ['EE', 'BE'],
  policy: { emergencyReviewHours: 72 },
  now,
  ...change,
});
const codeOf = (one: DeclarationFacts): string => {
  try {
    declarable(one);
    return 'declarable';
  } catch (error) {
    return error instanceof PortolanError ? error.code : 'another error';
  }
};

describe('an emergency to be declared', () => {
  it('falls due for review so many hours after its end as the policy says, whatever the edge would say', () => {
    expect(declarable(facts())).toEqual({ reviewDue: at(73 * HOUR) });
  });

  it.each<[string, Partial<DeclarationFacts>, string]>([
    ['ends just within the term', { until: at(72 * HOUR) }, 'declarable'],
    ['ends after the term', { until: at(72 * HOUR + 1) }, 'ledger.emergency-term'],
    ['has ended', { until: at(0) }, 'ledger.emergency-term'],
    ['has no end that can be read', { until: 'soon' }, 'ledger.emergency-term'],
    ['is to reach a country that is no partner', { country: 'FR' }, 'exchange.partner-unknown'],
    ['is of who acts for treatment alone', { acting: { actor, purposes: ['TREAT'] } }, 'request.purpose-not-stated'],
  ])('%s', (_case, change, code) => {
    expect(codeOf(facts(change))).toBe(code);
  });
});

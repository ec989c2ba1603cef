import { describe, expect, it } from 'vitest';
import { lateAt } from './late-step.js';
import { EMERGENCY_WAIT_MS, holdingEmergency, type NamedEmergency } from './holding-emergency.js';

const now = Date.parse('2026-11-21T10:00:00.000Z');
const at = (ms: number): string => new Date(now + ms).toISOString();
const HOUR = 3_600_000;
const named = { id: '99999999-9999-4999-8999-999999999999', reason: 'unconscious', declared: at(-1000), until: at(HOUR) };
const facts = (change: Partial<NamedEmergency> = {}): NamedEmergency => ({
  named,
  standing: { is: 'unknown' },
  channelDown: true,
  now,
  waited: 0,
  ...change,
});

describe('the emergency that a request names', () => {
  it('holds as it stands on our own copy, whatever the asker says of it', () => {
    const standing = { is: 'stands', declared: at(-HOUR), until: at(60_000) } as const;
    const holding = { id: named.id, declared: at(-HOUR), until: at(60_000) };
    expect(holdingEmergency(facts({ standing, channelDown: false }))).toEqual({ ...holding, late: false });
    expect(holdingEmergency(facts({ standing }))).toEqual({ ...holding, late: true });
  });

  it('holds by the asker’s signed word while the channel cannot be reached', () => {
    expect(holdingEmergency(facts())).toEqual({ id: named.id, declared: named.declared, until: named.until, late: true });
  });

  it('is waited for while the channel can be reached: our copy may lag, or the channel may just have been lost', () => {
    expect(holdingEmergency(facts({ channelDown: false }))).toBe('wait');
    expect(holdingEmergency(facts({ channelDown: false, waited: EMERGENCY_WAIT_MS }))).toBeUndefined();
    expect(holdingEmergency(facts({ waited: EMERGENCY_WAIT_MS }))).toMatchObject({ late: true });
  });

  it.each<[string, Partial<NamedEmergency>]>([
    ['none is named', { named: undefined }],
    ['it is over on our own copy', { standing: { is: 'over' } }],
    ['it begins later than a clock may differ', { named: { ...named, declared: at(120_001), until: at(HOUR) } }],
    ['its limit has passed', { named: { ...named, until: at(0) } }],
    ['it is longer than the channel takes', { named: { ...named, declared: at(0), until: at(72 * HOUR + 1) } }],
  ])('does not hold where %s', (_case, change) => {
    expect(holdingEmergency(facts(change))).toBeUndefined();
  });

  it('has nothing done in it before its declaration, by whoever’s clock', () => {
    expect(lateAt(named, now)).toEqual({ late: named.id, time: at(0) });
    expect(lateAt({ id: named.id, declared: at(500) }, now)).toEqual({ late: named.id, time: at(500) });
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answerTime } from './answer-time.js';

describe('when an answer leaves', () => {
  const cases: readonly (readonly [number, number, number, number])[] = [
    // policy, waited, leaves, heard until
    [1500, 0, 1500, 1100],
    [1500, 600, 1500, 1100],
    [1500, 601, 3000, 2600],
    [1500, 1499, 3000, 2600],
    [1500, 10_000, 12_000, 11_600],
    [200, 0, 200, 134],
    [200, 150, 400, 334],
  ];
  it.each(cases)('of %i ms, to a request that waited %i: after %i, sources heard until %i', (policy, waited, leaves, heardUntil) => {
    expect(answerTime(1_000_000, 1_000_000 + waited, policy)).toEqual({ leaves: 1_000_000 + leaves, heardUntil: 1_000_000 + heardUntil });
  });

  it('is always a multiple of the policy, never past, and leaves a source its time', () => {
    const times = { policy: fc.integer({ min: 200, max: 9000 }), waited: fc.integer({ min: 0, max: 600_000 }) };
    fc.assert(
      fc.property(fc.record(times), ({ policy, waited }) => {
        const { leaves, heardUntil } = answerTime(0, waited, policy);
        expect(leaves % policy).toBe(0);
        expect(heardUntil - waited).toBeGreaterThanOrEqual(Math.min(500, Math.floor(policy / 3)));
        expect(leaves).toBeGreaterThan(heardUntil);
      }),
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compatibleTime, daysOf, sameTime } from './same-time.js';

const times = fc
  .record({
    at: fc.date({ min: new Date('2026-03-01'), max: new Date('2026-03-04'), noInvalidDate: true }),
    offset: fc.integer({ min: -12, max: 14 }),
  })
  .map(({ at, offset }) => {
    const hour = new Date(Math.trunc(at.getTime() / 3_600_000) * 3_600_000 + offset * 3_600_000).toISOString().slice(0, 19);
    return `${hour}${offset < 0 ? '-' : '+'}${String(Math.abs(offset)).padStart(2, '0')}:00`;
  });
const written = fc.tuple(times, fc.constantFrom(4, 7, 10, 25)).map(([time, length]) => time.slice(0, length));

describe('two times that are one', () => {
  it('have a day in common under which they are found, whichever is asked first', () => {
    fc.assert(
      fc.property(written, written, (a, b) => {
        expect(sameTime(a, b)).toBe(sameTime(b, a));
        expect(compatibleTime(a, b)).toBe(compatibleTime(b, a));
        if (sameTime(a, b)) {
          expect(daysOf(a).some((day) => daysOf(b).includes(day))).toBe(true);
          expect(compatibleTime(a, b)).toBe(true);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['2026-03-01T23:30:00-05:00', '2026-03-02T04:30:00Z', true],
    ['2026-03-01T23:30:00-05:00', '2026-03-01', true],
    ['2026-03-01T08:00:00', '2026-03-01T08:00:00Z', false],
    ['2026-03', '2026-03', true],
    ['2026-03', '2026-03-01', false],
  ])('%s and %s: %s', (a, b, one) => {
    expect(sameTime(a, b)).toBe(one);
  });
});

import { describe, expect, it } from 'vitest';
import { percentile, standstill } from './timeline.js';

const came = (...seconds: number[]) => seconds.map((second) => ({ at: second * 1000 }));

describe('a standstill', () => {
  it('is the longest silence from the fault on, and told from when the fault was over', () =>
    expect(standstill(came(1, 2, 9, 9.5, 10.5, 21, 22), 10_000, 20_000, 22_500)).toEqual({
      stoppedAfter: 0.5,
      silence: 10.5,
      resumedAfter: 1,
    }));
  it('may end before the fault does', () =>
    expect(standstill(came(11, 14, 15, 16, 17), 10_000, 16_000, 17_000)).toEqual({ stoppedAfter: 1, silence: 3, resumedAfter: undefined }));
  it('counts no silence from before', () =>
    expect(standstill(came(1, 20, 21), 19_500, 20_000, 21_000)).toEqual({ stoppedAfter: 0.5, silence: 1, resumedAfter: 1 }));
  it('lasts until the end where nothing came any more', () =>
    expect(standstill(came(1), 2_000, 3_000, 9_000)).toEqual({ stoppedAfter: 0, silence: 7, resumedAfter: 6 }));
});

it.each([
  [[], 0.5, 0],
  [[5], 0.99, 5],
  [[1, 2, 3, 4], 0.5, 2],
  [[4, 3, 2, 1], 0.99, 4],
])('percentile of %j at %d', (values, p, expected) => expect(percentile(values, p)).toBe(expected));

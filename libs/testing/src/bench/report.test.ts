import { describe, expect, it } from 'vitest';
import { alternate, bounded, percentile, rateOf } from './report.js';

const turns = (values: number[]): (() => Promise<number>) => {
  const left = [...values];
  return async () => left.shift() ?? 0;
};

describe('a measure', () => {
  it('is the median of its rounds, and of their own ratios, after a round that warms up', async () => {
    const order: string[] = [];
    const told = (name: string, next: () => Promise<number>) => async (): Promise<number> => {
      order.push(name);
      return next();
    };
    const measure = await alternate('work', 'parts/s', {
      ours: told('ours', turns([1, 100, 300, 200])),
      peer: told('peer', turns([1, 100, 100, 200])),
      goal: 1.5,
      rounds: 3,
    });
    expect(order).toEqual(['ours', 'peer', 'ours', 'peer', 'peer', 'ours', 'ours', 'peer']);
    expect(measure).toEqual({
      what: 'work',
      value: 200,
      unit: 'parts/s',
      peer: 100,
      ratio: 1,
      goal: 1.5,
      reached: false,
      ranges: { value: [100, 300], peer: [100, 200], ratio: [1, 3] },
    });
  });
  it('of an even number of rounds lies between the two in the middle', async () => {
    const sides = { ours: turns([1, 10, 20]), peer: turns([1, 10, 10]), goal: 1.5, rounds: 2 };
    expect(await alternate('work', 'parts/s', sides)).toMatchObject({ value: 15, ratio: 1.5, reached: true });
  });
});

it('a rate counts what was done, with never more in flight than said', async () => {
  let inFlight = 0;
  let most = 0;
  let done = 0;
  const rate = await rateOf(
    async () => {
      most = Math.max(most, (inFlight += 1));
      await new Promise((resolve) => setTimeout(resolve, 5));
      inFlight -= 1;
      done += 1;
    },
    3,
    100,
  );
  expect(most).toBe(3);
  expect(rate).toBeGreaterThan(0);
  expect(rate).toBeLessThanOrEqual(done * 10);
});

describe('a measure with a bound of its own', () => {
  it('that must stay below it is reached up to the bound', () => {
    expect(bounded('wait', 'ms', [800, 1_000, 3_000], { below: 1_000 })).toMatchObject({
      value: 1_000,
      peer: 1_000,
      ratio: 1,
      reached: true,
    });
    expect(bounded('wait', 'ms', [800, 1_001, 3_000], { below: 1_000 })).toMatchObject({ reached: false, ranges: { value: [800, 3_000] } });
  });
  it('that must be reached counts the other way round', () => {
    expect(bounded('rate', '1/s', [50], { least: 100 })).toMatchObject({ ratio: 0.5, reached: false });
    expect(bounded('rate', '1/s', [100], { least: 100 })).toMatchObject({ ratio: 1, reached: true });
  });
});

it('a percentile is a value that was seen (nearest rank)', () => {
  const values = Array.from({ length: 100 }, (_unused, i) => 100 - i);
  expect([50, 95, 99, 100].map((percent) => percentile(values, percent))).toEqual([50, 95, 99, 100]);
  expect(percentile([7], 50)).toBe(7);
});

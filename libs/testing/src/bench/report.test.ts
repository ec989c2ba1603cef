import { describe, expect, it } from 'vitest';
import { alternate, rateOf } from './report.js';

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

import { describe, expect, it } from 'vitest';
import { Together, TogetherOrAlone } from './together.js';

/** Work that ends when it is let, group after group. */
function held(most: number): {
  together: Together<number, number>;
  groups: (readonly number[])[];
  letGo: (error?: Error) => Promise<void>;
} {
  const groups: (readonly number[])[] = [];
  const holds: PromiseWithResolvers<undefined>[] = [];
  const together = new Together<number, number>(async (items) => {
    groups.push(items);
    const hold = Promise.withResolvers<undefined>();
    holds.push(hold);
    await hold.promise;
    return items.map((item) => item * 10);
  }, most);
  const letGo = async (error?: Error): Promise<void> => {
    const hold = holds.shift();
    if (error === undefined) hold?.resolve(undefined);
    else hold?.reject(error);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { together, groups, letGo };
}

const aTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(() => void setImmediate(resolve)));

describe('what costs little more for many than for one', () => {
  it('goes at once with what came in the same turn, and what comes meanwhile goes together next, in its order', async () => {
    const { together, groups, letGo } = held(10);
    const first = [together.do(1), together.do(2)];
    await aTurn();
    expect(groups).toEqual([[1, 2]]);
    const next = [together.do(3), together.do(4), together.do(5)];
    await aTurn();
    expect(groups).toHaveLength(1);
    await letGo();
    expect(await Promise.all(first)).toEqual([10, 20]);
    expect(groups).toEqual([
      [1, 2],
      [3, 4, 5],
    ]);
    await letGo();
    expect(await Promise.all(next)).toEqual([30, 40, 50]);
  });

  it('goes in groups no larger than the most', async () => {
    const { together, groups, letGo } = held(2);
    const all = Promise.all([1, 2, 3].map((one) => together.do(one)));
    await aTurn();
    await letGo();
    await letGo();
    expect([await all, groups]).toEqual([
      [10, 20, 30],
      [[1, 2], [3]],
    ]);
  });

  it('fails for those who went together, and goes on with the next', async () => {
    const { together, letGo } = held(10);
    const failing = Promise.allSettled([together.do(1), together.do(2)]);
    await aTurn();
    const next = together.do(3);
    await letGo(new Error('lost'));
    expect((await failing).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await letGo();
    expect(await next).toBe(30);
  });
});

describe('what one item can undo for the others', () => {
  it('is done together, and each by itself where that fails: only what cannot be done fails', async () => {
    const tried: (readonly number[])[] = [];
    const joint = new TogetherOrAlone<number>(async (items) => {
      tried.push(items);
      if (items.includes(2)) throw new Error('two');
      return Promise.resolve();
    }, 10);
    expect(await Promise.allSettled([1, 2, 3].map((item) => joint.do(item)))).toEqual([
      { status: 'fulfilled', value: undefined },
      { status: 'rejected', reason: new Error('two') },
      { status: 'fulfilled', value: undefined },
    ]);
    await Promise.all([4, 5].map((item) => joint.do(item)));
    expect(tried).toEqual([[1, 2, 3], [1], [2], [3], [4, 5]]);
  });
});

import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Stream, type Lane } from './stream.js';

const lane = (way: string, ms = 5): Lane => ({ way, ask: () => pause(ms, 'released' as const) });

describe('a stream of transfers', () => {
  it('asks its number over all lanes, one at a time on each', async () => {
    let [under, most] = [0, 0];
    const counting: Lane = {
      way: 'x',
      ask: async () => {
        most = Math.max(most, (under += 1));
        await pause(3);
        under -= 1;
        return 'released';
      },
    };
    const stream = new Stream([counting, counting], 11);
    await stream.done;
    expect([stream.asked.length, most]).toEqual([11, 2]);
  });

  it('asks on while it is held open, and ends when it is not', async () => {
    const stream = new Stream([lane('x')], 2);
    stream.holdOpen(true);
    expect(await stream.reached(6, 5_000)).toBe(true);
    stream.holdOpen(false);
    await stream.done;
    expect(stream.asked.length).toBeGreaterThanOrEqual(6);
  });

  it('keeps the failure of who was not answered, and goes on', async () => {
    let asked = 0;
    const stream = new Stream(
      [{ way: 'x', ask: () => ((asked += 1) === 1 ? Promise.reject(new Error('gone')) : Promise.resolve('none')) }],
      2,
    );
    await stream.done;
    expect(stream.asked.map(({ outcome, failure }) => failure ?? outcome)).toEqual(['gone', 'none']);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KillWorld } from './kill-world.js';
import { killPoints, seeds } from './points.js';
import { expected, planOf, strike, type Plan } from './strike.js';

/** Rows that only run when the other side is silent: `silence.scenario.test.ts` has them. */
const SILENCE: ReadonlySet<string> = new Set(['give-up', 'expire']);

let killed: KillWorld;
let started: KillWorld | undefined;
const print = (line: string): void => void process.stderr.write(`${line}\n`);

beforeAll(async () => {
  started = killed = await KillWorld.start(print);
  await killed.prepare();
});
afterAll(() => started?.stop());

/** Invariant 4: kill any process at any line; after its restart all invariants hold, and whoever asked gets the answer. */
describe('a process killed at a row of the pipeline', () => {
  it('finds every invariant holding before anything is killed', async () => {
    expect(await killed.check()).toEqual([]);
  });

  it.each(killPoints.filter(({ step }) => !SILENCE.has(step)))('$step ($role), before and after its commit, five seeds', async (point) => {
    const plans = seeds.map((seed) => planOf(point, seed));
    // One checkpoint file a country: the two countries are struck side by side, the seeds of one after the other.
    await Promise.all((['EE', 'PT'] as const).map((country) => inTurn(plans.filter((plan) => plan.country === country))));
    expect(await killed.check()).toEqual([]);
  });

  async function inTurn(plans: readonly Plan[]): Promise<void> {
    for (const plan of plans) {
      const outcomes = await strike(killed, plan);
      expect(outcomes).toEqual(outcomes.map(() => expected(plan)));
    }
  }
});

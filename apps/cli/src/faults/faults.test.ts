import { expect, it } from 'vitest';
import { runHere } from '../test-support/run-here.js';

it('lists what can be broken, and what tests try by themselves', async () => {
  const { exit, out } = await runHere(['faults', '--list']);
  expect(exit).toBe(0);
  for (const name of ['kill-exchange', 'two-orderers-down', 'partition', 'clock', 'envelopes', 'full-disk', 'lying-peer'])
    expect(out).toMatch(new RegExp(`^${name}$`, 'm'));
  expect(out).toContain('fabric-attacks.int.test.ts');
});

it('knows no other name, and no number of transfers below one', async () => {
  const wrong = await runHere(['faults', 'luck']);
  expect({ exit: wrong.exit, out: wrong.out }).toEqual({ exit: 2, out: '' });
  expect(wrong.notes).toContain('kill-exchange');
  expect((await runHere(['faults', 'kill-edge', '--transfers', '0'])).exit).toBe(2);
});

import { expect, it } from 'vitest';
import { runHere } from '../test-support/run-here.js';

it('lists what can be measured', async () => {
  const { exit, out } = await runHere(['bench']);
  expect(exit).toBe(0);
  expect(out).toMatch(/^seal  sign\+encrypt/m);
});

it('knows no other name', async () => {
  const { exit, out, notes } = await runHere(['bench', 'luck']);
  expect({ exit, out }).toEqual({ exit: 2, out: '' });
  expect(notes).toContain('seal');
});

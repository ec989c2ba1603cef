import { expect, it } from 'vitest';
import { benches } from './index.js';

/** Whether each benchmark still runs to its report; nothing here is said about speed. */
it.each(benches.map(({ name }) => name))('%s runs in its quick form', { timeout: 180_000 }, async (name) => {
  const said: string[] = [];
  const bench = benches.find((one) => one.name === name)!;
  const report = await bench.run((line) => void said.push(line), { quick: true });
  expect(report).toMatchObject({ name, machine: expect.stringMatching(/cores/), load: expect.any(String) });
  expect(report.measures.length).toBeGreaterThan(0);
  for (const { what, value, unit, peer, ratio, goal, reached, ranges } of report.measures) {
    for (const number of [value, peer, ratio, goal, ...ranges.value, ...ranges.ratio]) expect(Number.isFinite(number), what).toBe(true);
    expect([unit, typeof reached], what).not.toContain('');
    expect(value, what).toBeGreaterThanOrEqual(ranges.value[0]);
    expect(value, what).toBeLessThanOrEqual(ranges.value[1]);
  }
  expect(said.length).toBeGreaterThan(0);
});

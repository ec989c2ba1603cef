import { expect, it } from 'vitest';
import { kafkaAbsent } from '../contract/kafka-fixture.js';
import { benches } from './index.js';

const absent = await kafkaAbsent();
const inCi = process.env['CI'] === 'true';
/** The one that has a broker also in its quick form. */
const needsKafka = (name: string): boolean => name === 'publish';
const skipped = (name: string): boolean => absent !== undefined && !inCi && needsKafka(name);
const names = benches.map(({ name }) => (skipped(name) ? `${name} (skipped: ${absent ?? ''})` : name));

/** Whether each benchmark still runs to its report; nothing here is said about speed. */
it.for(names)('%s runs in its quick form', { timeout: 180_000 }, async (name, { skip }) => {
  skip(name.includes('skipped'));
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

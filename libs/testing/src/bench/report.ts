import type { ClientName } from '../stack/kafka/client.js';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';

/** Lowest, median and highest of the rounds. */
export type Range = readonly [lowest: number, highest: number];

/** One line of a benchmark. `value` and `peer` are medians over rounds that alternate within one run; `ratio` is the median of the rounds' own ratios. */
export interface Measure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** What is compared with, in the same unit. */
  readonly peer: number;
  readonly ratio: number;
  /** The least ratio that must be reached. */
  readonly goal: number;
  readonly reached: boolean;
  readonly ranges: { readonly value: Range; readonly peer: Range; readonly ratio: Range };
}

export interface BenchOptions {
  /** Rounds that count, instead of the benchmark's own number. */
  readonly rounds?: number;
  /** Seconds instead of minutes: shows that the benchmark runs, and says nothing about speed. */
  readonly quick?: boolean;
  /** Of benchmarks that write to Kafka: with what, on both sides. */
  readonly client?: ClientName;
  /** Of the translation: how long a batch file is read, in megabytes, to see how much memory it takes. */
  readonly batchMegabytes?: number;
}

export interface BenchReport {
  readonly name: string;
  /** Processor, cores, memory, Node, and the load of the last minute when it began. */
  readonly machine: string;
  /** What was done, and against what. */
  readonly load: string;
  readonly measures: readonly Measure[];
}

export interface Bench {
  readonly name: string;
  readonly description: string;
  /** `say` is told one line a measure. */
  run(say: (line: string) => void, options?: BenchOptions): Promise<BenchReport>;
}

/** One round of work: how many a second. */
export type Round = () => Promise<number>;

/** Rounds of both, in turns, each beginning every other one, so that what else the machine does meets both alike. */
export async function alternate(
  what: string,
  unit: string,
  { ours, peer, goal, rounds }: { readonly ours: Round; readonly peer: Round; readonly goal: number; readonly rounds: number },
): Promise<Measure> {
  const seen: { ours: number; peer: number }[] = [];
  await ours();
  await peer();
  for (let i = 0; i < rounds; i += 1) {
    if (i % 2 === 0) seen.push({ ours: await ours(), peer: await peer() });
    else {
      const second = await peer();
      seen.push({ ours: await ours(), peer: second });
    }
  }
  return compared(what, unit, { ours: seen.map(({ ours: one }) => one), peer: seen.map(({ peer: one }) => one), goal });
}

/** A measure of rounds that were done already: one value a round for each side. */
export function compared(
  what: string,
  unit: string,
  { ours, peer, goal }: { readonly ours: readonly number[]; readonly peer: readonly number[]; readonly goal: number },
): Measure {
  const ratio = ours.map((one, round) => one / Math.max(peer[round] ?? 0, 1e-9));
  const middle = rounded(median(ratio), 2);
  return {
    what,
    value: rounded(median(ours), 1),
    unit,
    peer: rounded(median(peer), 1),
    ratio: middle,
    goal,
    reached: middle >= goal,
    ranges: { value: rangeOf(ours, 1), peer: rangeOf(peer, 1), ratio: rangeOf(ratio, 2) },
  };
}

/**
 * A measure with a bound of its own instead of a peer: `peer` is the bound, `ratio` the bound over the value for what must stay below it, the
 * value over the bound for what must be reached, and 1 reaches it. `values`: one a round.
 */
export function bounded(
  what: string,
  unit: string,
  values: readonly number[],
  { below, least }: { below?: number; least?: number },
): Measure {
  const bound = below ?? least ?? 0;
  const against = (value: number): number => (below === undefined ? value / bound : bound / Math.max(value, 1e-9));
  const value = rounded(median(values), 1);
  const ratios = values.map(against);
  return {
    what,
    value,
    unit,
    peer: bound,
    ratio: rounded(against(value), 2),
    goal: 1,
    reached: below === undefined ? value >= bound : value <= bound,
    ranges: { value: rangeOf(values, 1), peer: [bound, bound], ratio: rangeOf(ratios, 2) },
  };
}

/** A measure that has no goal: where the time goes. */
export function noted(what: string, unit: string, values: readonly number[]): Measure {
  const value = rounded(median(values), 1);
  const range = rangeOf(values, 1);
  return { what, value, unit, peer: value, ratio: 1, goal: 0, reached: true, ranges: { value: range, peer: range, ratio: [1, 1] } };
}

/** The value below which so many of a hundred lie (nearest rank). */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? 0;
}

/** How many a second, doing `work` over and over with so many in flight for about `ms`. */
export async function rateOf(work: () => Promise<unknown>, inFlight: number, ms: number): Promise<number> {
  const start = performance.now();
  let done = 0;
  const one = async (): Promise<void> => {
    while (performance.now() - start < ms) {
      await work();
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, one));
  return (done * 1000) / (performance.now() - start);
}

export function machine(): string {
  const [cpu] = cpus();
  const gib = Math.round(totalmem() / 2 ** 30);
  const load = (loadavg()[0] ?? 0).toFixed(1);
  return `${cpu?.model.trim() ?? 'unknown processor'}, ${availableParallelism()} cores, ${gib} GiB, Node ${process.version}, load ${load}`;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return ((sorted[middle] ?? 0) + (sorted[sorted.length % 2 === 0 ? middle - 1 : middle] ?? 0)) / 2;
}

const rangeOf = (values: readonly number[], digits: number): Range => [
  rounded(Math.min(...values), digits),
  rounded(Math.max(...values), digits),
];
const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));

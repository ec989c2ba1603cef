import { anchorBench } from './anchor.bench.js';
import { crossingBench } from './crossing.bench.js';
import { flowBench } from './flow.bench.js';
import { publishBench } from './publish.bench.js';
import type { Bench } from './report.js';
import { sealBench } from './seal.bench.js';
import { trailBench } from './trail.bench.js';
import { translateBench } from './translate.bench.js';

export type { Bench, BenchOptions, BenchReport, Measure } from './report.js';

/** Every benchmark by name; another one is another entry here. */
export const benches: readonly Bench[] = [
  anchorBench, //
  crossingBench,
  flowBench,
  publishBench,
  sealBench,
  trailBench,
  translateBench,
];

import { newcomer, clinicianOf, Herself } from '../scenarios/cast.js';
import { matchAbroad, parameterOf, requestRecord } from '../story/fhir-asks.js';
import { crossingStages, stagesOf } from './crossing-stages.js';
import { inBenchWorld, type BenchWorld } from './bench-world.js';
import { bounded, machine, noted, percentile, type Bench, type Measure } from './report.js';

const MOST_P50_MS = 1_000;
const MOST_P99_MS = 3_000;
/** Before anything counts: connections, caches and compiled code are warm, as they are in a node that runs. */
const WARM = 5;

interface Crossed {
  readonly ms: number;
  readonly stages: readonly number[];
}

/** A clinician's request to the opened record, one at a time, over real engines: one permit and one release anchored for each. */
export const crossingBench: Bench = {
  name: 'crossing',
  description: 'request to opened record, one at a time, on real engines',
  async run(say, { quick = false, rounds = quick ? 1 : 5 } = {}) {
    const began = machine();
    const each = quick ? 2 : 30;
    const measures = await inBenchWorld({ say, quick }, async (world) => {
      const cross = await crosser(world);
      for (let i = 0; i < (quick ? 1 : WARM); i += 1) await cross();
      const seen: (readonly Crossed[])[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const crossed: Crossed[] = [];
        for (let i = 0; i < each; i += 1) crossed.push(await cross());
        seen.push(crossed);
        say(`round ${round + 1}: p50 ${percentile(msOf(crossed), 50)} ms, p99 ${percentile(msOf(crossed), 99)} ms`);
      }
      return measuresOf(seen);
    });
    const engines = quick ? 'embedded engines' : '3 countries on real engines, 4 BFT orderers';
    const load = `one clinician, ${rounds} rounds of ${each} requests one after the other; a permit and a release of its own each; ${engines}`;
    return { name: 'crossing', machine: began, load, measures };
  },
};

const msOf = (crossed: readonly Crossed[]): readonly number[] => crossed.map(({ ms }) => ms);

/** Somebody whose record is asked for again and again, with her permission. */
async function crosser(world: BenchWorld): Promise<() => Promise<Crossed>> {
  const person = await newcomer(world, 'EE');
  await new Herself(world, person).permits(['PT'], ['summary', 'laboratory']);
  const [client, doctor] = [world.at('PT'), clinicianOf('PT')];
  const handle = await matchAbroad(client, doctor, 'EE', person);
  if (handle === undefined) throw new Error('EE does not find the person');
  return async () => {
    const began = Date.now();
    const answer = await requestRecord(client, doctor, handle, ['summary']);
    const ended = Date.now();
    if (answer.status !== 200) throw new Error(`the record is not released: ${answer.status} ${answer.text.slice(0, 300)}`);
    return { ms: ended - began, stages: await stagesOf(world, parameterOf(answer, 'transfer'), began, ended) };
  };
}

function measuresOf(rounds: readonly (readonly Crossed[])[]): Measure[] {
  const of = (percent: number): number[] => rounds.map((crossed) => percentile(msOf(crossed), percent));
  const stages = crossingStages.map((stage, index) =>
    noted(
      `${index + 1} ${stage}`,
      'ms',
      rounds.flatMap((crossed) => crossed.map((one) => one.stages[index] ?? 0)),
    ),
  );
  return [
    bounded('request to opened record, p50', 'ms', of(50), { below: MOST_P50_MS }),
    bounded('request to opened record, p99', 'ms', of(99), { below: MOST_P99_MS }),
    ...stages,
  ];
}

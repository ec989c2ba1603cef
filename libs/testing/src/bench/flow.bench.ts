import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { clinicianOf, filed, Herself, messagesAbout, newcomer, type Newcomer } from '../scenarios/cast.js';
import { matchAbroad, parameterOf, requestRecord } from '../story/fhir-asks.js';
import { inBenchWorld, type BenchWorld } from './bench-world.js';
import { cpuMillisEach, cpuSeconds } from './cpu.js';
import { bounded, compared, machine, noted, percentile, type Bench, type Measure } from './report.js';

const LEAST_RATE = 100;
const MOST_P99_MS = 2_000;
const RATES = [0.5, 1, 1.5, 2, 3, 4, 5, 6, 8, 12, 16, 24, 32, 64, 100, 150, 200, 300];
const SLOWEST = 0.5;
/** At least so many times what is sustained where each permit and each step is a transaction of its own. */
const LEAST_RATIO = 3;
const PEOPLE = 16;
/** What is not back after this is lost to the rate; it still arrives. */
const PATIENCE_MS = 30_000;

interface Person {
  readonly who: Newcomer;
  readonly handle: string;
}

/** What became of the arrivals of one rate. */
interface Point {
  readonly rate: number;
  readonly p50: number;
  readonly p99: number;
  readonly back: number;
  readonly asked: number;
  readonly cpuBy: readonly (readonly [string, number])[];
}

/**
 * Results that come in at one country, are asked for by the other, opened there, and receipted back at the first; they come in at a steady rate
 * whatever becomes of the earlier ones, faster from point to point, until they no longer come back in time.
 */
export const flowBench: Bench = {
  name: 'flow',
  description: 'results in at one country, opened at the other, receipt back at the first: how many a second',
  async run(say, { quick = false, rounds = 1 } = {}) {
    const began = machine();
    const seconds = quick ? 2 : 8 * rounds;
    const rates = quick ? [1] : RATES;
    const points = await inBenchWorld({ say, quick }, (world) => ramp(world, rates, seconds, say));
    say('and with a transaction for each permit and each step');
    const alone = await inBenchWorld({ say, quick, mostTogether: 1 }, (world) => ramp(world, rates, seconds, say));
    const engines = quick ? 'embedded engines' : '3 countries on real engines, 4 BFT orderers, all roles and the clients in one process';
    const load = `${seconds} s at each of the rates ${points.map(({ rate }) => rate).join(', ')} a second; ORU^R01 over MLLP, request, permit, release, view, receipt each; ${engines}`;
    for (const line of plot(points)) say(line);
    return { name: 'flow', machine: began, load, measures: measuresOf(points, alone) };
  },
};

async function ramp(world: BenchWorld, rates: readonly number[], seconds: number, say: (line: string) => void): Promise<readonly Point[]> {
  const people = await Promise.all(Array.from({ length: Math.min(PEOPLE, rates.length * 2) }, () => ready(world)));
  // Twice, before anything counts: what has never run is slow.
  for (let round = 0; round < 2; round += 1) await Promise.all(people.map((person) => once(world, person)));
  const points: Point[] = [];
  for (const rate of rates) {
    const point = await tried(world, people, rate, seconds, say);
    points.push(point);
    if (!isSustained(point)) break;
  }
  return points;
}

/** A rate that was missed is tried once more: a stall of the machine is no knee. */
async function tried(
  world: BenchWorld,
  people: readonly Person[],
  rate: number,
  seconds: number,
  say: (line: string) => void,
): Promise<Point> {
  const measured = async (): Promise<Point> => {
    const point = await at(world, people, rate, seconds);
    say(`${rate}/s: ${point.back} of ${point.asked} back, p50 ${Math.round(point.p50)} ms, p99 ${Math.round(point.p99)} ms`);
    return point;
  };
  const point = await measured();
  return isSustained(point) ? point : measured();
}

const isSustained = ({ p99, back, asked }: Point): boolean => p99 <= MOST_P99_MS && back === asked;

async function ready(world: BenchWorld): Promise<Person> {
  const who = await newcomer(world, 'EE');
  await new Herself(world, who).permits(['PT'], ['laboratory']);
  const handle = await matchAbroad(world.at('PT'), clinicianOf('PT'), 'EE', who);
  if (handle === undefined) throw new Error('EE does not find the person');
  return { who, handle };
}

/** A laboratory's message with numbers of its own, then the request for what is known now. Answers with the transfer. */
async function once(world: BenchWorld, { who, handle }: Person): Promise<string> {
  const [, results] = await messagesAbout({ ...who, mark: randomUUID().slice(0, 8).toUpperCase() });
  if (results === undefined) throw new Error('no message of results');
  await filed(world.at('EE'), results);
  const answer = await requestRecord(world.at('PT'), clinicianOf('PT'), handle, ['laboratory']);
  if (answer.status !== 200) throw new Error(`not released: ${answer.status}`);
  return parameterOf(answer, 'transfer');
}

async function at(world: BenchWorld, people: readonly Person[], rate: number, seconds: number): Promise<Point> {
  const [cpu, began, asked] = [await cpuSeconds(world.provisioned.folder), Date.now(), Math.ceil(rate * seconds)];
  const due = new Map<string, number>();
  const all: Promise<void>[] = [];
  for (let i = 0; i < asked; i += 1) {
    const moment = began + (i * 1000) / rate;
    await pause(Math.max(0, moment - Date.now()));
    const person = people[i % people.length];
    if (person !== undefined)
      all.push(
        once(world, person).then(
          (transfer) => void due.set(transfer, moment),
          () => undefined,
        ),
      );
  }
  await Promise.all(all);
  const waits = await backAt(world, due);
  const cpuBy = cpuMillisEach(cpu, await cpuSeconds(world.provisioned.folder), asked);
  return { rate, asked, back: waits.length, p50: percentile(waits, 50), p99: percentile(waits, 99), cpuBy };
}

/** When the custodian took the receiver's counter-receipt from its inbox: the second envelope of a transfer. */
async function backAt(world: BenchWorld, due: ReadonlyMap<string, number>): Promise<readonly number[]> {
  for (const end = Date.now() + PATIENCE_MS; ;) {
    const rows = await world.read<{ key: string; at: Date }>(
      'EE',
      `SELECT key, max(done_at) AS at FROM exchange.incoming WHERE key = ANY ($1::text[]) AND state = 'done' GROUP BY key HAVING count(*) >= 2`,
      [[...due.keys()]],
    );
    if (rows.length === due.size || Date.now() > end) return rows.map(({ key, at: done }) => done.getTime() - (due.get(key) ?? 0));
    await pause(250);
  }
}

const sustainedBy = (points: readonly Point[]): number => points.findLast(isSustained)?.rate ?? 0;

function measuresOf(points: readonly Point[], alone: readonly Point[]): Measure[] {
  const knee = points.findLast(isSustained) ?? points[0];
  if (knee === undefined) throw new Error('nothing was measured');
  return [
    bounded(`sustained with p99 below ${MOST_P99_MS} ms`, 'transfers/s', [sustainedBy(points)], { least: LEAST_RATE }),
    // A peer that sustains nothing is taken to sustain the slowest rate that was tried.
    compared('sustained, against one transaction each', 'transfers/s', {
      ours: [sustainedBy(points)],
      peer: [sustainedBy(alone) || SLOWEST],
      goal: LEAST_RATIO,
    }),
    ...points.flatMap(({ rate, p50, p99 }) => [noted(`at ${rate}/s, p50`, 'ms', [p50]), noted(`at ${rate}/s, p99`, 'ms', [p99])]),
    ...knee.cpuBy.map(([user, millis]) => noted(`CPU of a transfer at ${knee.rate}/s: ${user}`, 'ms', [millis])),
  ];
}

/** The knee as a text: a bar a rate, as long as its p99. */
function plot(points: readonly Point[]): readonly string[] {
  const most = Math.max(...points.map(({ p99 }) => p99), 1);
  return points.map(
    ({ rate, p99 }) => `${String(rate).padStart(4)}/s ${'#'.repeat(Math.max(1, Math.round((p99 / most) * 60)))} ${Math.round(p99)} ms`,
  );
}

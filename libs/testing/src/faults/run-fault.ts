import type { Violation } from '../checker/index.js';
import type { Fault, FaultReport, Scene } from './fault.js';
import type { FaultWorld } from './fault-world.js';
import type { Asked, Stream } from './stream.js';
import { percentile, standstill, type Standstill } from './timeline.js';

/** The fault strikes when this part of the transfers has ended. */
const STRIKES_AT = 0.15;
const STARTS_WITHIN_MS = 180_000;
const STOPS_AFTER_MS = 900_000;
const TELLS_EVERY_MS = 10_000;

interface Times {
  struck: number | undefined;
  healed: number | undefined;
}

/** Runs one fault in the middle of so many transfers, waits until all is at rest, and has the checker judge. */
export async function runFault(
  world: FaultWorld,
  fault: Fault,
  transfers: number,
  before: readonly Violation[] = [],
): Promise<FaultReport> {
  const stream = world.stream(transfers);
  stream.holdOpen(true);
  const seen: string[] = [];
  const times: Times = { struck: undefined, healed: undefined };
  const telling = setInterval(() => world.say(`${fault.name}: ${stream.asked.length} of ${transfers} answered`), TELLS_EVERY_MS);
  const late = setTimeout(() => stream.stop(), STOPS_AFTER_MS);
  try {
    await stream.reached(Math.ceil(transfers * STRIKES_AT), STARTS_WITHIN_MS);
    await fault.strike(sceneOf(world, stream, times, seen));
    stream.holdOpen(false);
    await stream.done;
  } finally {
    clearInterval(telling);
    clearTimeout(late);
    stream.stop();
  }
  const ended = stream.now;
  world.say(`${fault.name}: all answered after ${Math.round(ended / 1000)} s; waiting until nothing is on its way`);
  const settled = await world.quiet();
  world.say(`${fault.name}: the checker judges`);
  const known = new Set(before.map(told));
  const violations = (await world.check()).filter((one) => !known.has(told(one)));
  const measured = measure(stream.asked, times, ended);
  const { name, what, how } = fault;
  return { name, what, how, transfers: stream.asked.length, ...measured, settledAfter: Math.round(settled / 100) / 10, seen, violations };
}

const told = ({ invariant, where, what }: Violation): string => `${invariant} ${where} ${what}`;

function sceneOf(world: FaultWorld, stream: Stream, times: Times, seen: string[]): Scene {
  const say = (line: string): void => world.say(`  ${(stream.now / 1000).toFixed(1)} s  ${line}`);
  return {
    world,
    stream,
    struck: () => {
      times.struck ??= stream.now;
      say('the fault is there');
    },
    healed: () => {
      times.healed = stream.now;
      say('the fault is over');
    },
    note: (what) => {
      seen.push(what);
      say(what);
    },
  };
}

type Measured = Pick<FaultReport, 'outcomes' | 'rate' | 'p50Ms' | 'p99Ms' | 'lasted' | 'standstill'>;

function measure(asked: readonly Asked[], { struck = 0, healed = struck }: Times, ended: number): Measured {
  const took = asked.map(({ began, at }) => at - began);
  const counts = Map.groupBy(asked, ({ outcome, failure }) => (failure === undefined ? outcome : `${outcome}: ${failure.slice(0, 120)}`));
  const released = asked.filter(({ outcome }) => outcome === 'released');
  const ways: [string, Standstill][] = [...Map.groupBy(released, ({ way }) => way)].map(([way, of]) => [
    way,
    standstill(of, struck, healed, lastOf(of)),
  ]);
  return {
    outcomes: Object.fromEntries([...counts].map(([outcome, of]) => [outcome, of.length])),
    rate: Math.round((asked.length / ended) * 10_000) / 10,
    p50Ms: Math.round(percentile(took, 0.5)),
    p99Ms: Math.round(percentile(took, 0.99)),
    lasted: Math.round((healed - struck) / 100) / 10,
    standstill: { both: standstill(released, struck, healed, lastOf(released)), ...Object.fromEntries(ways) },
  };
}

const lastOf = (asked: readonly Asked[]): number => Math.max(0, ...asked.map(({ at }) => at));

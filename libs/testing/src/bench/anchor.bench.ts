import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { canonicalJson, type PermitRecord, type ReleasedStep } from '@portolan/contracts';
import { onFabric, onRules, type AnchorGround } from './anchor-ground.js';
import { cpuMillisEach, type CpuSeconds } from './cpu.js';
import { bounded, compared, machine, median, noted, percentile, type Bench, type Measure } from './report.js';

/** Steps of one batch as the notary makes them when many wait: its limit of characters holds about so many releases. */
const BATCH = 1_000;
const IN_FLIGHT = 64;
/** Most steps that come in one by one. */
const MOST_OPEN = 2_500;
const LEAST_RATIO = 10;
const MOST_P95_MS = 2_000;
/** Part of the rate reached, at which steps then come in one by one. */
const LOAD = 0.8;

interface Extent {
  readonly steps: number;
  readonly rounds: number;
  readonly openLoopSeconds: number;
}

/** What one side of a round cost. */
interface Side {
  readonly rate: number;
  readonly cpu: number;
  readonly cpuBy: readonly (readonly [string, number])[];
  readonly bytes: number;
}

interface Round {
  readonly one: Side;
  readonly batched: Side;
}

/**
 * Steps finally valid a second in the notary's batches, against one transaction for each act; then how soon a step is anchored when they come
 * in at most of that rate. One transaction each is measured by the permits themselves, many in flight: each is written once under a key of
 * its own, and its rule reads less than that of a release. Each step rests on a permit of its own, and each country judges each.
 */
export const anchorBench: Bench = {
  name: 'anchor',
  description: 'steps finally valid a second, judged by three countries, against one transaction each',
  async run(say, { quick = false, rounds = quick ? 1 : 3 } = {}) {
    const began = machine();
    const extent = quick ? { steps: 20, rounds, openLoopSeconds: 1 } : { steps: 600, rounds, openLoopSeconds: 4 };
    const work = (ground: AnchorGround): Promise<{ measures: Measure[]; what: string }> => measured(ground, extent, say);
    const { measures, what } = await (quick ? onRules(work) : onFabric(say, work));
    const load = `${extent.rounds} rounds of ${extent.steps} acts one transaction each, ${IN_FLIGHT} in flight, then as many steps in batches of at most ${BATCH}, in turns; ${what}`;
    return { name: 'anchor', machine: began, load, measures };
  },
};

async function measured(ground: AnchorGround, extent: Extent, say: (line: string) => void): Promise<{ measures: Measure[]; what: string }> {
  const seen: Round[] = [];
  // The first warms up.
  for (let i = 0; i <= extent.rounds; i += 1) {
    const permits = newPermits(extent.steps);
    const one = await cost(ground, extent.steps, () => putPermits(ground, permits));
    const batched = await cost(ground, extent.steps, () => anchor(ground, permits));
    say(`round ${i}: ${batched.rate.toFixed(0)} steps/s in batches, ${one.rate.toFixed(0)} acts/s one transaction each`);
    if (i > 0) seen.push({ one, batched });
  }
  const rate = LOAD * median(seen.map(({ batched }) => batched.rate));
  const waits = await openLoop(ground, rate, extent);
  return { measures: [...measuresOf(seen), ...waitsOf(rate, waits)], what: ground.what };
}

async function cost(ground: AnchorGround, steps: number, work: () => Promise<void>): Promise<Side> {
  const [bytes, cpu, began] = [await ground.ledgerBytes(), await ground.cpu(), performance.now()];
  await work();
  const ms = performance.now() - began;
  const after: CpuSeconds = await ground.cpu();
  const cpuBy = cpuMillisEach(cpu, after, steps);
  const used = cpuBy.reduce((sum, [, millis]) => sum + millis, 0);
  return { rate: (steps * 1000) / ms, cpu: used, cpuBy, bytes: ((await ground.ledgerBytes()) - bytes) / steps };
}

function newPermits(count: number): readonly PermitRecord[] {
  const until = new Date(Date.now() + 86_400_000).toISOString();
  return Array.from({ length: count }, () => ({
    v: 1,
    id: randomUUID(),
    custodian: 'EE',
    recipient: 'PT',
    purpose: 'TREAT',
    until,
    commitment: digest(),
  }));
}

async function putPermits(ground: AnchorGround, permits: readonly PermitRecord[]): Promise<void> {
  const left = [...permits];
  const worker = async (): Promise<void> => {
    for (let permit = left.pop(); permit !== undefined; permit = left.pop())
      await ground.commit({ id: randomUUID(), fn: 'put-permit', args: permit });
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
}

async function anchor(ground: AnchorGround, permits: readonly PermitRecord[]): Promise<void> {
  for (let i = 0; i < permits.length; i += BATCH) await anchorOnce(ground, permits.slice(i, i + BATCH).map(releaseUnder));
}

async function anchorOnce(ground: AnchorGround, leaves: readonly string[]): Promise<void> {
  const steps = leaves.map((leaf) => ({ leaf }));
  await ground.commit({ id: randomUUID(), fn: 'anchor-batch', args: { v: 1, n: ground.next(), steps } });
}

function releaseUnder({ id: permitId, custodian: from, recipient: to }: PermitRecord): string {
  const limit = new Date(Date.now() + 3_600_000).toISOString();
  const leaf: ReleasedStep = {
    v: 1,
    step: 'released',
    transferId: randomUUID(),
    from,
    to,
    by: from,
    permitId,
    ciphertextHash: digest(),
    commitment: digest(),
    limit,
    graceSeconds: 1_800,
  };
  return canonicalJson(leaf);
}

const digest = (): string => randomBytes(32).toString('hex');

/**
 * Steps come in at a steady rate whatever becomes of the earlier ones; while one batch is on its way the next gathers, as at the notary. How
 * long each waited for its commit, milliseconds.
 */
async function openLoop(ground: AnchorGround, rate: number, { openLoopSeconds, steps }: Extent): Promise<readonly number[]> {
  // Each step's permit is put before, one transaction each: what takes most of the time here.
  const count = Math.min(MOST_OPEN, Math.max(steps, Math.ceil(rate * openLoopSeconds)));
  const permits = newPermits(count);
  await putPermits(ground, permits);
  const began = performance.now();
  const dueAt = (index: number): number => began + (index * 1000) / rate;
  const waits: number[] = [];
  while (waits.length < count) {
    const due = Math.min(count, Math.floor(((performance.now() - began) / 1000) * rate) + 1);
    const ready = permits.slice(waits.length, Math.min(due, waits.length + BATCH));
    if (ready.length === 0) await pause(1);
    else {
      await anchorOnce(ground, ready.map(releaseUnder));
      const now = performance.now();
      for (const _ of ready) waits.push(now - dueAt(waits.length));
    }
  }
  return waits;
}

function measuresOf(rounds: readonly Round[]): Measure[] {
  const of = (pick: (side: Side) => number): { ours: number[]; peer: number[] } => ({
    ours: rounds.map(({ batched }) => pick(batched)),
    peer: rounds.map(({ one }) => pick(one)),
  });
  const users = rounds[0]?.batched.cpuBy.map(([user]) => user) ?? [];
  const by = users.map((user) =>
    noted(
      `CPU of a batched step: ${user}`,
      'ms',
      rounds.map(({ batched }) => batched.cpuBy.find(([one]) => one === user)?.[1] ?? 0),
    ),
  );
  return [
    compared('steps finally valid', 'steps/s', { ...of(({ rate }) => rate), goal: LEAST_RATIO }),
    compared('CPU of a step', 'ms', { ...of(({ cpu }) => cpu), goal: 0 }),
    compared('ledger bytes of a step', 'bytes', { ...of(({ bytes }) => bytes), goal: 0 }),
    ...by,
  ];
}

function waitsOf(rate: number, waits: readonly number[]): Measure[] {
  const at = `at ${rate.toFixed(0)} steps/s`;
  return [
    bounded(`a step is anchored ${at}, p95`, 'ms', [percentile(waits, 95)], { below: MOST_P95_MS }),
    noted(`a step is anchored ${at}, p50`, 'ms', [percentile(waits, 50)]),
  ];
}

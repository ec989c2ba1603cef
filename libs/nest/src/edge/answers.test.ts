import { ensureTransferId, Wakeups, type EdgeTx, type TransferId, type UnitOfWork } from '@portolan/domain';
import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { AlteredWork } from '../runtime/altered-work.fixture.js';
import { Answers } from './answers.js';

/** Transfers and wake-ups as a database would keep them. */
class Bench extends Wakeups {
  readonly done = new Set<TransferId>();
  looks = 0;
  isAway = false;
  private wake: (() => void)[] = [];

  readonly uow: UnitOfWork<EdgeTx> = new AlteredWork(async (work) => {
    this.looks += 1;
    if (this.isAway) throw new Error('the database is away');
    return work({
      transfers: { answered: async (ids: readonly TransferId[]) => ids.filter((id) => this.done.has(id)) },
    } as unknown as EdgeTx);
  });

  override wait(_channel: string, timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.wake.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  override async notify(): Promise<void> {
    for (const wake of this.wake.splice(0)) wake();
  }
}

let bench: Bench;
let answers: Answers;
const transfer = (): TransferId => ensureTransferId(randomUUID());
const taken = async (work: Promise<unknown>): Promise<number> => {
  const began = performance.now();
  await work;
  return performance.now() - began;
};

beforeEach(() => {
  bench = new Bench();
  answers = new Answers({ uow: bench.uow, wakeups: bench });
});

describe('who waits for an answer', () => {
  it('is told at the wake-up, and the others go on waiting', async () => {
    const [first, second] = [transfer(), transfer()];
    const told: string[] = [];
    const all = [answers.wait(first, 5_000).then(() => told.push('first')), answers.wait(second, 300).then(() => told.push('second'))];
    await new Promise((resolve) => setTimeout(resolve, 20));
    bench.done.add(first);
    await bench.notify();
    await all[0];
    expect(told).toEqual(['first']);
    await all[1];
    expect(told).toEqual(['first', 'second']);
  });

  it('is told after its time, whether or not there is an answer', async () => {
    expect(await taken(answers.wait(transfer(), 60))).toBeLessThan(1_000);
  });

  it('is told though no wake-up came', async () => {
    const id = transfer();
    const waiting = answers.wait(id, 10_000);
    await new Promise((resolve) => setTimeout(resolve, 20));
    bench.done.add(id);
    expect(await taken(waiting)).toBeLessThan(5_000);
  });

  it('costs one look a wake-up, however many wait', async () => {
    const ids = Array.from({ length: 200 }, transfer);
    const all = Promise.all(ids.map((id) => answers.wait(id, 5_000)));
    await new Promise((resolve) => setTimeout(resolve, 20));
    const before = bench.looks;
    for (const id of ids) bench.done.add(id);
    await bench.notify();
    await all;
    expect(bench.looks - before).toBe(1);
  });

  it('looks for itself where nobody can look for it', async () => {
    bench.isAway = true;
    expect(await taken(answers.wait(transfer(), 10_000))).toBeLessThan(1_000);
  });
});

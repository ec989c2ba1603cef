import { setTimeout as pause } from 'node:timers/promises';
import { Wakeups } from '@portolan/domain';
import { expect, it } from 'vitest';
import { Loop } from './loop.js';
import { NodeLogger } from './logger.js';

const silent = new NodeLogger({ country: 'EE', role: 'notary' }, 'silent', () => undefined);

/** Waits that are told, and end early where `woken` says so. */
class Watched extends Wakeups {
  readonly waits: number[] = [];

  constructor(private readonly woken: (nth: number) => boolean) {
    super();
  }

  override async wait(_channel: string, timeoutMs: number): Promise<void> {
    this.waits.push(timeoutMs);
    if (!this.woken(this.waits.length)) await pause(timeoutMs + 1);
  }

  override async notify(): Promise<void> {
    // nobody is told
  }
}

it('a loop that finds nothing rests longer and longer, and is quick again once it was woken', async () => {
  const wakeups = new Watched((nth) => nth === 5);
  const loop = new Loop({ name: 'test', work: async () => false, idleMs: 10, wakeups, channel: 'outbox', logger: silent });
  loop.start();
  await expect.poll(() => wakeups.waits.length).toBeGreaterThanOrEqual(7);
  await loop.stop();
  expect(wakeups.waits.slice(0, 7)).toEqual([10, 20, 40, 80, 160, 10, 20]);
});

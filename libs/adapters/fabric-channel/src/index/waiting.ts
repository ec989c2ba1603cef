import { setTimeout as sleep } from 'node:timers/promises';

/** Wakes whoever waits for something new. Waiting is bounded, so a missed wake-up costs a delay and nothing else. */
export class Signal {
  /** How often it has fired: what was seen before a look, given to `wait`, ends the wait where it fired meanwhile. */
  fired = 0;
  private waiting = Promise.withResolvers<undefined>();

  fire(): void {
    this.fired += 1;
    this.waiting.resolve(undefined);
    this.waiting = Promise.withResolvers<undefined>();
  }

  /** Resolves at the first `fire` after the `seen` ones, after `ms`, or when `until` aborts. Never rejects. */
  async wait(ms: number, until: AbortSignal, seen = this.fired): Promise<void> {
    if (seen !== this.fired) return;
    const fired = new AbortController();
    const both = AbortSignal.any([until, fired.signal]);
    await Promise.race([this.waiting.promise, pause(ms, both)]);
    fired.abort();
  }
}

/** Resolves after `ms`, or at once when `until` aborts. */
export async function pause(ms: number, until: AbortSignal): Promise<void> {
  await sleep(Math.max(0, ms), undefined, { signal: until }).catch(() => undefined);
}

/** Full jitter over an exponential bound: attempt 0, 1, 2 … → 0 to 100, 200, 400 ms … at most 5 s. */
export function backoffMs(attempt: number): number {
  return Math.random() * Math.min(5_000, 100 * 2 ** Math.min(attempt, 10));
}

/** Repeats `work` until aborted. After a failure it tells `onTrouble` and pauses, longer each time. */
export async function repeat(work: () => Promise<void>, until: AbortSignal, onTrouble: (error: unknown) => void): Promise<void> {
  const stopped = (): boolean => until.aborted;
  let failures = 0;
  while (!stopped()) {
    try {
      await work();
      failures = 0;
    } catch (error) {
      // What fails because it is being stopped is no trouble.
      if (stopped()) return;
      onTrouble(error);
      failures += 1;
      await pause(50 + backoffMs(failures), until);
    }
  }
}

/** At most `places` at once, and at most `queue` more that wait for their turn. */
export class Turnstile {
  private within = 0;
  private readonly queue: (() => void)[] = [];

  constructor(
    private readonly places: number,
    private readonly longest: number,
  ) {}

  /** `undefined` where the queue is full; nothing was done then. */
  async run<T>(work: () => Promise<T>): Promise<{ readonly done: T } | undefined> {
    if (this.within >= this.places) {
      if (this.queue.length >= this.longest) return undefined;
      await new Promise<void>((resolve) => this.queue.push(resolve));
    } else this.within += 1;
    try {
      return { done: await work() };
    } finally {
      const next = this.queue.shift();
      if (next === undefined) this.within -= 1;
      else next();
    }
  }
}

/** Wakes whoever waits for something new. Waiting is bounded, so a missed wake-up costs a delay and nothing else. */
export class Signal {
  private readonly waiting = new Set<() => void>();

  fire(): void {
    for (const wake of [...this.waiting]) wake();
  }

  /** Resolves at the next `fire`, after `ms`, or when `until` aborts. Never rejects. */
  wait(ms: number, until?: AbortSignal): Promise<void> {
    if (until?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.waiting.delete(done);
        until?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, Math.max(0, ms));
      this.waiting.add(done);
      until?.addEventListener('abort', done);
    });
  }
}

/** Resolves after `ms`, or at once when `until` aborts. */
export function pause(ms: number, until?: AbortSignal): Promise<void> {
  return new Signal().wait(ms, until);
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

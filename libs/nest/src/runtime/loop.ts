import { PortolanError } from '@portolan/contracts';
import type { Wakeups } from '@portolan/domain';
import type { NodeLogger } from './logger.js';

export interface LoopOptions {
  readonly name: string;
  /** Does one round; true when there may be more to do at once. */
  work(): Promise<boolean>;
  /** Waits at most this long between idle rounds; a wake-up ends the wait early. */
  readonly idleMs: number;
  readonly wakeups?: Wakeups;
  /** Channel of the wake-up. */
  readonly channel?: string;
  readonly logger: NodeLogger;
}

/** Rounds of work until it is stopped. A failing round is logged by its code and tried again after a growing pause. */
export class Loop {
  private running = false;
  private done: Promise<void> = Promise.resolve();
  private readonly stopping = new AbortController();
  private failures = 0;

  constructor(private readonly options: LoopOptions) {}

  start(): void {
    if (this.running) return;
    this.running = true;
    this.done = this.run();
  }

  /** Ends after the round that is under way. */
  async stop(): Promise<void> {
    this.running = false;
    this.stopping.abort();
    await this.done;
  }

  private async run(): Promise<void> {
    while (this.running) {
      const again = await this.round();
      if (!again) await this.rest();
    }
  }

  private async round(): Promise<boolean> {
    try {
      const again = await this.options.work();
      this.failures = 0;
      return again;
    } catch (error) {
      this.failures += 1;
      const code = error instanceof PortolanError ? error.code : 'runtime.unexpected';
      if (this.running) this.options.logger.failure(`${this.options.name}: round failed`, code, error);
      return false;
    }
  }

  private async rest(): Promise<void> {
    if (this.stopping.signal.aborted) return;
    const { idleMs, wakeups, channel } = this.options;
    const pause = this.failures === 0 ? idleMs : Math.min(5_000, 100 * 2 ** Math.min(this.failures, 6));
    const aborted = new Promise<void>((resolve) => {
      this.stopping.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    const wake =
      this.failures === 0 && wakeups !== undefined && channel !== undefined
        ? wakeups.wait(channel, pause)
        : sleep(pause, this.stopping.signal);
    await Promise.race([wake, aborted]);
  }
}

/** Resolves after `ms` or when the signal aborts. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(end, ms);
    signal?.addEventListener('abort', end, { once: true });
    function end(): void {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    }
  });
}

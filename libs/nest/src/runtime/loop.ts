import { PortolanError } from '@portolan/contracts';
import type { Wakeups } from '@portolan/domain';
import type { NodeLogger } from './logger.js';

export interface LoopOptions {
  readonly name: string;
  /** Does one round; true when there may be more to do at once. */
  work(): Promise<boolean>;
  /** Waits this long after a round without work, and twice as long after each further one, up to a second; a wake-up ends the wait early. */
  readonly idleMs: number;
  readonly wakeups?: Wakeups;
  /** Channel of the wake-up. */
  readonly channel?: string;
  readonly logger: NodeLogger;
}

/** A loop that finds nothing rests longer and longer, up to this: what is due by the clock alone, as a retry is, waits no longer for it. */
const LONGEST_IDLE_MS = 1_000;

/** Rounds of work until it is stopped. A failing round is logged by its code and tried again after a growing pause. */
export class Loop {
  private running = false;
  private done: Promise<void> = Promise.resolve();
  private readonly stopping = new AbortController();
  private failures = 0;
  /** Rests in a row that nobody ended early. */
  private quiet = 0;

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
      if (this.options.channel !== undefined) this.options.wakeups?.heard(this.options.channel);
      const again = await this.options.work();
      this.failures = 0;
      if (again) this.quiet = 0;
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
    const idle = Math.max(idleMs, Math.min(LONGEST_IDLE_MS, idleMs * 2 ** Math.min(this.quiet, 4)));
    const pause = this.failures === 0 ? idle : Math.min(5_000, 100 * 2 ** Math.min(this.failures, 6));
    const began = performance.now();
    const aborted = new Promise<void>((resolve) => {
      this.stopping.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    const wake =
      this.failures === 0 && wakeups !== undefined && channel !== undefined
        ? wakeups.wait(channel, pause)
        : sleep(pause, this.stopping.signal);
    await Promise.race([wake, aborted]);
    this.quiet = performance.now() - began < pause * 0.9 ? 0 : this.quiet + 1;
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

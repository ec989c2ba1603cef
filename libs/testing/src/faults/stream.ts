import { setTimeout as pause } from 'node:timers/promises';
import type { Outcome } from './clinic.js';

/** One transfer that a stream asked for. Times in milliseconds since the stream began. */
export interface Asked {
  readonly way: string;
  readonly began: number;
  readonly at: number;
  /** What came of it; the words of the failure where nobody answered. */
  readonly outcome: Outcome | 'failed';
  readonly failure?: string;
}

/** A way between two countries: whoever asks one question on it. */
export interface Lane {
  /** `PT asks EE`. */
  readonly way: string;
  readonly ask: () => Promise<Outcome>;
}

/** A number of transfers over several lanes, each of which has one under way at a time. */
export class Stream {
  readonly asked: Asked[] = [];
  private readonly zero = performance.now();
  private begun = 0;
  private isStopped = false;
  private isHeldOpen = false;
  readonly done: Promise<void>;

  constructor(
    lanes: readonly Lane[],
    private readonly transfers: number,
  ) {
    this.done = Promise.all(lanes.map((lane) => this.run(lane))).then(() => undefined);
  }

  /** Milliseconds since it began. */
  get now(): number {
    return performance.now() - this.zero;
  }

  /** While it is held open it asks on beyond its number: a fault that lasts longer must not find it over. */
  holdOpen(isHeldOpen: boolean): void {
    this.isHeldOpen = isHeldOpen;
  }

  /** Nothing more is asked; what is under way goes on. */
  stop(): void {
    this.isStopped = true;
  }

  /** Waits until so many have ended, at most `ms`. */
  async reached(count: number, ms: number): Promise<boolean> {
    const end = this.now + ms;
    while (this.asked.length < count && this.now < end && !this.isStopped) await pause(20);
    return this.asked.length >= count;
  }

  private async run({ way, ask }: Lane): Promise<void> {
    while (!this.isStopped && (this.begun < this.transfers || this.isHeldOpen)) {
      this.begun += 1;
      const began = this.now;
      try {
        const outcome = await ask();
        this.asked.push({ way, began, at: this.now, outcome });
      } catch (error) {
        this.asked.push({ way, began, at: this.now, outcome: 'failed', failure: error instanceof Error ? error.message : String(error) });
      }
    }
  }
}

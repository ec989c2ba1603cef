import type { Clock } from '@portolan/domain';
import { limits } from '../client/limits.js';

/**
 * When the channel last answered. That our own peer answers is not enough: a channel whose orderers have stopped takes nothing more, while
 * peers go on to answer. So a transaction of ours that waits too long for its commit takes the word back, until a block comes.
 */
export class Contact {
  private at: number;
  private readonly waiting = new Set<{ readonly since: number }>();
  /** When a transaction was handed over that was given up later, with no block since. */
  private lostSince: number | undefined;

  constructor(private readonly clock: Clock) {
    this.at = clock.now();
  }

  /** Our own peer answered. */
  answered(): void {
    this.at = this.clock.now();
  }

  /** A block came: the channel goes on. */
  committed(): void {
    this.lostSince = undefined;
    this.answered();
  }

  /** A transaction was handed over; the answer is called when it is settled (`true`) or given up (`false`). */
  ordering(): (settled: boolean) => void {
    const one = { since: this.clock.now() };
    this.waiting.add(one);
    return (settled) => {
      if (this.waiting.delete(one) && !settled) this.lostSince ??= one.since;
    };
  }

  /** Milliseconds since the Unix epoch. */
  last(): number {
    const overdue = [...this.waiting].map(({ since }) => since).filter((since) => this.clock.now() - since > limits.stalledMs);
    return Math.min(this.at, ...overdue, ...(this.lostSince === undefined ? [] : [this.lostSince]));
  }
}

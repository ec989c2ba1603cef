import type { EdgeTx, TransferId, UnitOfWork, Wakeups } from '@portolan/domain';

/** Looked for at least so often, should a wake-up be lost. */
const LOOK_MS = 250;

export interface AnswersParts {
  readonly uow: UnitOfWork<EdgeTx>;
  readonly wakeups: Wakeups;
}

/** Who waits on the line for an answer from abroad is told when it is there. However many wait, one look at each wake-up serves them all. */
export class Answers {
  private readonly waiting = new Map<TransferId, Set<() => void>>();
  private isLooking = false;

  constructor(private readonly parts: AnswersParts) {}

  /** Resolves when the transfer is answered, or after `ms`. */
  async wait(id: TransferId, ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const told = (): void => resolve(undefined);
    const others = this.waiting.get(id) ?? new Set();
    this.waiting.set(id, others.add(told));
    const timer = setTimeout(told, ms);
    if (!this.isLooking) void this.look();
    await promise;
    clearTimeout(timer);
    others.delete(told);
    if (others.size === 0) this.waiting.delete(id);
  }

  private async look(): Promise<void> {
    const { wakeups } = this.parts;
    this.isLooking = true;
    while (this.waiting.size > 0) {
      for (const id of await this.answered()) for (const told of this.waiting.get(id) ?? []) told();
      // Those who were told let go of their places first.
      await new Promise((resolve) => setImmediate(resolve));
      if (this.waiting.size > 0) await wakeups.wait('transfers', LOOK_MS);
    }
    this.isLooking = false;
  }

  /** Where it cannot be looked, all who wait look for themselves, and tell what is in the way. */
  private async answered(): Promise<readonly TransferId[]> {
    const ids = [...this.waiting.keys()];
    return this.parts.uow.alone((tx) => tx.transfers.answered(ids)).catch(() => ids);
  }
}

import { instant, type Clock, type MissingStep, type NotaryTx, type UnitOfWork } from '@portolan/domain';
import { Loop } from '../runtime/loop.js';
import type { NodeLogger } from '../runtime/logger.js';

const ROUND_MS = 60_000;
const MOST = 500;
/** A late step that does not stand on the channel after a day is an alarm (design, invariant 1). */
export const LATE_ALARM_MS = 24 * 3_600_000;

/** Looks for steps that were signed in an emergency and never came to stand on the channel; each is told once in the log of a process. */
export class LateWatch {
  private readonly loop: Loop;
  private readonly told = new Set<string>();

  constructor(
    private readonly uow: UnitOfWork<NotaryTx>,
    private readonly clock: Clock,
    private readonly logger: NodeLogger,
  ) {
    this.loop = new Loop({ name: 'late-watch', work: () => this.round(), idleMs: ROUND_MS, logger });
  }

  start(): void {
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  /** Late steps that the channel refused, or that have been missing for a day; longest missing first. */
  missing(limit: number): Promise<readonly MissingStep[]> {
    const before = instant(this.clock.now() - LATE_ALARM_MS);
    return this.uow.alone((tx) => tx.steps.missing(before, limit));
  }

  private async round(): Promise<boolean> {
    const missing = await this.missing(MOST);
    const names = missing.map(({ transferId, step }) => `${step} of transfer ${transferId}`);
    for (const name of names.filter((one) => !this.told.has(one))) this.logger.failure(`late step missing: ${name}`, 'ledger.late-missing');
    this.told.clear();
    for (const name of names) this.told.add(name);
    return false;
  }
}

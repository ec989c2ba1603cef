import { instant } from '@portolan/domain';
import { Loop } from '../runtime/loop.js';
import { destroyViews } from './edge.handlers.js';
import type { EdgeParts } from './edge.parts.js';

const BATCH = 50;

/** Destroys views whose permit has run out by itself: no end of it is ever anchored, the end stands in the permit (design, section 5). */
export class ViewSweeper {
  private readonly loop: Loop;

  constructor(
    private readonly parts: Pick<EdgeParts, 'uow' | 'clock' | 'random' | 'wakeups' | 'logger'>,
    everyMs: number,
  ) {
    this.loop = new Loop({ name: 'view sweeper', work: () => this.round(), idleMs: everyMs, logger: parts.logger });
  }

  start(): void {
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  private async round(): Promise<boolean> {
    const { uow, clock } = this.parts;
    return uow.run(async (tx) => {
      const expired = await tx.views.expired(instant(clock.now()), BATCH);
      for (const view of expired) await destroyViews(tx, view.permitId, 'permit-expired', this.parts);
      return expired.length === BATCH;
    });
  }
}

import type { Role, RoleTx, UnitOfWork, Wakeups } from '@portolan/domain';
import { Loop } from '../runtime/loop.js';
import type { NodeLogger } from '../runtime/logger.js';
import { failureOf } from './refusal.js';
import type { RoleLink } from './role-link.js';

/** What travels between roles: ids alone. No broker sees a record (design, section 3). */
export interface Delivery {
  readonly id: string;
  readonly type: string;
}

const BATCH = 50;
const MAX_DELAY_MS = 30_000;

/**
 * Delivers the outbox of one role: at least once, in the order of each key. The body stays here until its receiver asks for it. A role that
 * cannot be reached is waited for, however long; what it refuses again and again is a dead letter.
 */
export class Relay {
  private readonly loop: Loop;

  constructor(
    private readonly uow: UnitOfWork<RoleTx>,
    private readonly link: RoleLink,
    private readonly logger: NodeLogger,
    wakeups: Wakeups,
    private readonly takeOverAfterMs: number,
  ) {
    this.loop = new Loop({ name: 'relay', work: () => this.round(), idleMs: 500, wakeups, channel: 'outbox', logger });
  }

  start(): void {
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  private async round(): Promise<boolean> {
    const taken = await this.uow.run((tx) => tx.outbox.take(BATCH, this.takeOverAfterMs));
    await Promise.all(taken.map((message) => this.deliver(message)));
    return taken.length > 0;
  }

  private async deliver(message: { id: string; to: Role; type: string; attempts: number }): Promise<void> {
    const delivery: Delivery = { id: message.id, type: message.type };
    try {
      await this.link.ask(message.to, 'deliver', delivery);
      await this.uow.run((tx) => tx.outbox.delivered(message.id));
    } catch (error) {
      const { code, refused } = failureOf(error, 'link.failed');
      const delay = Math.min(MAX_DELAY_MS, 100 * 2 ** Math.min(message.attempts, 9));
      await this.uow.run((tx) => tx.outbox.failed(message.id, delay, code, refused));
      this.logger.failure(`delivery of ${message.type} to ${message.to} failed`, code, error);
    }
  }
}

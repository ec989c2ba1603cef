import { roles, type Role, type RoleTx, type UnitOfWork, type Wakeups } from '@portolan/domain';
import { Loop } from '../runtime/loop.js';
import type { NodeLogger } from '../runtime/logger.js';
import { failureOf } from './refusal.js';
import type { Delivery } from './role-events.js';
import type { RoleLink } from './role-link.js';
import { Together } from './together.js';

interface Taken {
  readonly id: string;
  readonly to: Role;
  readonly type: string;
  readonly attempts: number;
}

const BATCH = 50;
const MAX_DELAY_MS = 30_000;
/** What was told and found no answer is told again, less and less often. */
const MAX_SILENCE_MS = 600_000;

/** Milliseconds until the next attempt, after so many. */
export const retryDelay = (attempts: number): number => Math.min(MAX_DELAY_MS, 100 * 2 ** Math.min(attempts, 9));

/**
 * Delivers the outbox of one role: at least once, in the order of each key. The body stays here until its receiver asks for it. A role that
 * cannot be reached is waited for, however long; what it refuses again and again is a dead letter.
 */
export class Relay {
  private readonly loop: Loop;
  /** Marks of what was delivered: what comes while some are written goes into the next statement. */
  private readonly marks = new Together<string, undefined>(async (ids) => {
    await this.uow.alone((tx) => tx.outbox.delivered(...ids));
    return [];
  }, BATCH);

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
    const taken = await this.uow.alone((tx) => tx.outbox.take(BATCH, this.takeOverAfterMs));
    if (this.link.events === undefined) await Promise.all(taken.map((message) => this.deliver(message)));
    else
      await Promise.all(
        roles.map((to) =>
          this.tell(
            to,
            taken.filter((message) => message.to === to),
          ),
        ),
      );
    return taken.length > 0;
  }

  /** Told is not delivered: the receiver settles the message in our outbox (deliveries.ts). What it does not settle is told again. */
  private async tell(to: Role, messages: readonly Taken[]): Promise<void> {
    if (messages.length === 0 || this.link.events === undefined) return;
    try {
      await this.link.events.tell(
        to,
        messages.map(({ id, type, attempts }) => ({ id, type, attempts })),
      );
      for (const { id, attempts } of messages.filter(({ attempts: times }) => times > 1))
        await this.uow.run((tx) => tx.outbox.failed(id, this.silence(attempts), 'link.unreachable', false));
    } catch (error) {
      const { code } = failureOf(error, 'link.failed');
      for (const { id, attempts } of messages) await this.uow.run((tx) => tx.outbox.failed(id, retryDelay(attempts), code, false));
      this.logger.failure(`events to ${to} failed`, code, error);
    }
  }

  private silence(attempts: number): number {
    return Math.min(MAX_SILENCE_MS, this.takeOverAfterMs * 2 ** Math.min(attempts - 1, 10));
  }

  private async deliver(message: Taken): Promise<void> {
    const delivery: Delivery = { id: message.id, type: message.type };
    try {
      await this.link.ask(message.to, 'deliver', delivery);
      await this.marks.do(message.id);
    } catch (error) {
      const { code, refused } = failureOf(error, 'link.failed');
      await this.uow.run((tx) => tx.outbox.failed(message.id, retryDelay(message.attempts), code, refused));
      this.logger.failure(`delivery of ${message.type} to ${message.to} failed`, code, error);
    }
  }
}

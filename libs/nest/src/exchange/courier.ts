import type { ExchangeTx, OutgoingEnvelope, PartnerLink, UnitOfWork, Wakeups } from '@portolan/domain';
import { failureOf } from '../link/refusal.js';
import { Loop } from '../runtime/loop.js';
import type { NodeLogger } from '../runtime/logger.js';

const BATCH = 32;

/**
 * Takes sealed envelopes from our own table to the partners' inboxes: at least once; the receiver deduplicates by id. A partner that cannot be
 * reached is waited for until the envelope is of no use any more; one refused again and again is a dead letter.
 */
export class Courier {
  private readonly loop: Loop;

  constructor(
    private readonly uow: UnitOfWork<ExchangeTx>,
    private readonly link: PartnerLink,
    private readonly logger: NodeLogger,
    wakeups: Wakeups,
    private readonly takeOverAfterMs: number,
  ) {
    this.loop = new Loop({ name: 'courier', work: () => this.round(), idleMs: 250, wakeups, channel: 'outgoing', logger });
  }

  start(): void {
    this.loop.start();
  }

  async stop(): Promise<void> {
    await this.loop.stop();
    await this.link.close();
  }

  private async round(): Promise<boolean> {
    const taken = await this.uow.run((tx) => tx.outgoing.take(BATCH, this.takeOverAfterMs));
    await Promise.all(taken.map((envelope) => this.send(envelope)));
    return taken.length > 0;
  }

  private async send(envelope: OutgoingEnvelope & { attempts: number }): Promise<void> {
    try {
      await this.link.send(envelope.to, { id: envelope.id, key: envelope.key, body: envelope.body });
      await this.uow.run((tx) => tx.outgoing.sent(envelope.id));
    } catch (error) {
      const { code, refused } = failureOf(error, 'exchange.partner-unreachable');
      const pause = Math.min(30_000, 200 * 2 ** Math.min(envelope.attempts, 8));
      await this.uow.run((tx) => tx.outgoing.failed(envelope.id, pause, code, refused));
      this.logger.failure(`envelope to ${envelope.to} did not leave`, code, error);
    }
  }
}

import { setTimeout as pause } from 'node:timers/promises';
import type { CountryCode } from '@portolan/contracts';
import type { ExchangeTx, OutgoingEnvelope, OutgoingShare, PartnerLink, UnitOfWork, Wakeups } from '@portolan/domain';
import { failureOf } from '../link/refusal.js';
import { Loop } from '../runtime/loop.js';
import type { NodeLogger } from '../runtime/logger.js';
import { Marks } from './marks.js';

export interface CourierLimits {
  /** Of one look at the table. */
  readonly taken: { readonly envelopes: number; readonly bytes: number };
  /** Under way to one partner, and not answered yet: it has enough when one of them is reached, and the others' go on. */
  readonly toOne: { readonly envelopes: number; readonly bytes: number };
  /** Under way to all of them, and held in memory. */
  readonly toAll: { readonly bytes: number };
}

export const COURIER_LIMITS: CourierLimits = {
  taken: { envelopes: 1_000, bytes: 4_000_000 },
  toOne: { envelopes: 1_500, bytes: 12_000_000 },
  toAll: { bytes: 48_000_000 },
};

const IDLE_MS = 250;
/** What is on its way when the role ends is waited for so long; then its connections are closed, and it leaves again after the next start. */
const STOP_WITHIN_MS = 10_000;

type Taken = OutgoingEnvelope & { readonly attempts: number };

/**
 * Takes sealed envelopes from our own table to the partners' inboxes: at least once; the receiver deduplicates by id. The next ones are read
 * while those before are on their way, and what became of many is written in one statement. A partner that cannot be reached is waited for
 * until the envelope is of no use any more; one refused again and again is a dead letter.
 */
export class Courier {
  private readonly loop: Loop;
  private readonly underWay = new Map<string, Promise<void>>();
  private readonly toPartner = new Map<CountryCode, { envelopes: number; bytes: number }>();
  private readonly marks: Marks;
  /** Ends a round's wait: there is room again. */
  private freed: () => void = () => undefined;
  private isStopping = false;

  constructor(
    private readonly uow: UnitOfWork<ExchangeTx>,
    private readonly link: PartnerLink,
    logger: NodeLogger,
    private readonly wakeups: Wakeups,
    private readonly takeOverAfterMs: number,
    private readonly limits: CourierLimits = COURIER_LIMITS,
  ) {
    this.marks = new Marks(uow, logger);
    this.loop = new Loop({ name: 'courier', work: () => this.round(), idleMs: IDLE_MS, wakeups, channel: 'outgoing', logger });
  }

  start(): void {
    this.loop.start();
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    await this.loop.stop();
    await Promise.race([this.emptied(), pause(STOP_WITHIN_MS, undefined, { ref: false })]);
    await this.link.close();
    await this.emptied();
  }

  private async round(): Promise<boolean> {
    const written = this.marks.next();
    const freed = new Promise<void>((resolve) => (this.freed = resolve));
    // In a transaction: what the store tells the planner holds for that long.
    const taken = this.isFull ? [] : await this.uow.run((tx) => tx.outgoing.take(this.share, this.takeOverAfterMs));
    // What was slow for longer than its lease is taken again, while it is still under way.
    const fresh = taken.filter(({ id }) => !this.underWay.has(id));
    for (const envelope of fresh) this.underWay.set(envelope.id, this.send(envelope));
    if (fresh.length === 0 && this.underWay.size > 0) await Promise.race([written, freed, this.wakeups.wait('outgoing', IDLE_MS)]);
    return !this.isStopping && (fresh.length > 0 || this.underWay.size > 0);
  }

  private get isFull(): boolean {
    const bytes = [...this.toPartner.values()].reduce((sum, one) => sum + one.bytes, 0);
    return bytes >= this.limits.toAll.bytes;
  }

  private get share(): OutgoingShare {
    const { taken, toOne } = this.limits;
    const hasEnough = [...this.toPartner].filter(([, { envelopes, bytes }]) => envelopes >= toOne.envelopes || bytes >= toOne.bytes);
    return { ...taken, except: hasEnough.map(([country]) => country) };
  }

  private async send(envelope: Taken): Promise<void> {
    const { id, to, key, body, attempts } = envelope;
    this.count(envelope, 1);
    const answer = await this.link.send(to, { id, key, body }).then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    // Its bytes are let go of here; what became of it is written while the next ones leave.
    this.count(envelope, -1);
    if (answer === undefined) await this.marks.sent(id);
    else {
      const delayMs = Math.min(30_000, 200 * 2 ** Math.min(attempts, 8));
      await this.marks.failed({ id, to, delayMs, ...failureOf(answer.error, 'exchange.partner-unreachable'), error: answer.error });
    }
    this.underWay.delete(id);
  }

  /** Until nothing is under way, and what became of it is written. */
  private async emptied(): Promise<void> {
    await Promise.all(this.underWay.values());
  }

  private count({ to, body }: OutgoingEnvelope, by: 1 | -1): void {
    const { envelopes, bytes } = this.toPartner.get(to) ?? { envelopes: 0, bytes: 0 };
    this.toPartner.set(to, { envelopes: envelopes + by, bytes: bytes + by * body.length });
    if (by === -1) this.freed();
  }
}

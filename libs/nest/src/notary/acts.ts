import { PortolanError, type Uuid } from '@portolan/contracts';
import {
  post,
  type ActRow,
  type CommittedTx,
  type Ledger,
  type NotaryTx,
  type Random,
  type UnitOfWork,
  type Wakeups,
} from '@portolan/domain';
import { Loop } from '../runtime/loop.js';
import type { NodeLogger } from '../runtime/logger.js';
import { HOLD_BACK_MS, type RestingOn } from './resting-on.js';

/** Acts under way at once. */
const BATCH = 50;
/** How long a submitted act's block is waited for at once: mostly it is in our copy already, or comes within milliseconds. */
const AT_ONCE_MS = 500;
/** How soon its outcome is looked for again after that. */
const LOOK_MS = 120;

export interface ActAnchorParts {
  readonly uow: UnitOfWork<NotaryTx>;
  readonly ledger: Ledger;
  readonly restingOn: RestingOn;
  readonly random: Random;
  readonly logger: NodeLogger;
  readonly wakeups: Wakeups;
  readonly takeOverAfterMs: number;
}

/**
 * Brings single acts (permits and their ends, consents, emergencies) to the channel. The outcome is asked for before anything is
 * submitted again: after a crash it is unknown (real-components, "Cost of things"). What rests on another record waits for it.
 */
export class ActAnchor {
  private readonly loop: Loop;
  private readonly underWay = new Set<Promise<void>>();

  constructor(private readonly parts: ActAnchorParts) {
    const { wakeups, logger } = parts;
    this.loop = new Loop({ name: 'acts', work: () => this.round(), idleMs: 250, wakeups, channel: 'acts', logger });
  }

  start(): void {
    this.loop.start();
  }

  /** Ends after the acts that are under way. */
  async stop(): Promise<void> {
    await this.loop.stop();
    await Promise.all(this.underWay);
  }

  private async round(): Promise<boolean> {
    if (this.underWay.size >= BATCH) await Promise.race(this.underWay);
    const taken = await this.parts.uow.alone((tx) => tx.acts.take(BATCH - this.underWay.size, this.parts.takeOverAfterMs));
    for (const act of taken) this.begin(act);
    return taken.length > 0;
  }

  /** What takes long goes on beside the next rounds: an act that comes now does not wait for the blocks of earlier ones. */
  private begin(act: ActRow): void {
    const step = this.advance(act)
      // The row stays as it was, and is taken again when its time with us is over.
      .catch((error: unknown) => {
        const code = error instanceof PortolanError ? error.code : 'runtime.unexpected';
        this.parts.logger.failure(`act ${act.fn} was not set back`, code, error);
      })
      .finally(() => this.underWay.delete(step));
    this.underWay.add(step);
  }

  private async advance(act: ActRow): Promise<void> {
    const { ledger, restingOn } = this.parts;
    try {
      const outcome = await ledger.outcome(act.id);
      if (outcome !== undefined) await this.settle(act, outcome.valid, outcome.code);
      else if (await restingOn.actMayGo(act)) await this.submit(act);
      else await this.postpone(act, HOLD_BACK_MS, 'ledger.ground-not-visible');
    } catch (error) {
      const code = error instanceof PortolanError ? error.code : 'ledger.outcome-unknown';
      this.parts.logger.failure(`act ${act.fn} did not reach the channel`, code, error);
      await this.postpone(act, Math.min(10_000, 200 * 2 ** Math.min(act.attempts, 6)), code);
    }
  }

  private async submit(act: ActRow): Promise<void> {
    await this.parts.ledger.submit({ id: act.id, fn: act.fn, args: act.args });
    const outcome = await this.outcomeSoon(act.id);
    if (outcome !== undefined) return this.settle(act, outcome.valid, outcome.code);
    await this.parts.uow.run((tx) => tx.acts.submitted(act.id));
    await this.postpone(act, LOOK_MS * Math.min(20, 1 + act.attempts), 'ledger.outcome-unknown');
  }

  /** Looked for at each new block. The height is read first: a block that comes between the two looks is not waited for. */
  private async outcomeSoon(id: Uuid): Promise<CommittedTx | undefined> {
    const { ledger } = this.parts;
    const end = performance.now() + AT_ONCE_MS;
    for (;;) {
      const height = await ledger.height();
      const outcome = await ledger.outcome(id);
      const left = end - performance.now();
      if (outcome !== undefined || left <= 0) return outcome;
      await ledger.beyond(height, left);
    }
  }

  private postpone(act: ActRow, delayMs: number, code: string): Promise<void> {
    return this.parts.uow.run((tx) => tx.acts.postpone(act.id, delayMs, code));
  }

  private async settle(act: ActRow, valid: boolean, code: string | undefined): Promise<void> {
    await this.parts.uow.run(async (tx) => {
      const state = valid ? 'committed' : 'invalid';
      await tx.acts.settle(act.id, state, code);
      const keyId = await tx.keys.create();
      const body = { actId: act.id, state, ...(code === undefined ? {} : { code }) } as const;
      await post(tx, { id: this.parts.random.uuid(), type: 'act.settled', key: act.id, keyId, body });
    });
    if (!valid) this.parts.logger.failure(`the channel refused ${act.fn}`, code ?? 'ledger.outcome-unknown');
  }
}

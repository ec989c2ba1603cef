import { PortolanError } from '@portolan/contracts';
import { post, type ActRow, type Ledger, type NotaryTx, type Random, type UnitOfWork, type Wakeups } from '@portolan/domain';
import { Loop } from '../runtime/loop.js';
import type { NodeLogger } from '../runtime/logger.js';
import { HOLD_BACK_MS, type RestingOn } from './resting-on.js';

const BATCH = 50;
/** How soon the outcome of a submitted act is looked for again; a block is cut every 200 ms. */
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

  constructor(private readonly parts: ActAnchorParts) {
    const { wakeups, logger } = parts;
    this.loop = new Loop({ name: 'acts', work: () => this.round(), idleMs: 150, wakeups, channel: 'acts', logger });
  }

  start(): void {
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  private async round(): Promise<boolean> {
    const taken = await this.parts.uow.run((tx) => tx.acts.take(BATCH, this.parts.takeOverAfterMs));
    await Promise.all(taken.map((act) => this.advance(act)));
    return false;
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
    await this.parts.uow.run((tx) => tx.acts.submitted(act.id));
    await this.postpone(act, LOOK_MS * Math.min(20, 1 + act.attempts), 'ledger.outcome-unknown');
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

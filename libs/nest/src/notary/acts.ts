import { PortolanError } from '@portolan/contracts';
import { post, type ActRow, type Ledger, type NotaryTx, type Random, type UnitOfWork, type Wakeups } from '@portolan/domain';
import { Loop } from '../runtime/loop.js';
import type { NodeLogger } from '../runtime/logger.js';

const BATCH = 50;
/** How soon the outcome of a submitted act is looked for again; a block is cut every 200 ms. */
const LOOK_MS = 120;

/**
 * Brings single acts (permits and their ends, consents, emergencies) to the channel. The outcome is asked for before anything is
 * submitted again: after a crash it is unknown (real-components, "Cost of things").
 */
export class ActAnchor {
  private readonly loop: Loop;

  constructor(
    private readonly uow: UnitOfWork<NotaryTx>,
    private readonly ledger: Ledger,
    private readonly random: Random,
    private readonly logger: NodeLogger,
    wakeups: Wakeups,
    private readonly takeOverAfterMs: number,
  ) {
    this.loop = new Loop({ name: 'acts', work: () => this.round(), idleMs: 150, wakeups, channel: 'acts', logger });
  }

  start(): void {
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  private async round(): Promise<boolean> {
    const taken = await this.uow.run((tx) => tx.acts.take(BATCH, this.takeOverAfterMs));
    await Promise.all(taken.map((act) => this.advance(act)));
    return false;
  }

  private async advance(act: ActRow): Promise<void> {
    try {
      const outcome = await this.ledger.outcome(act.id);
      if (outcome !== undefined) {
        await this.settle(act, outcome.valid, outcome.code);
        return;
      }
      await this.ledger.submit({ id: act.id, fn: act.fn, args: act.args });
      await this.uow.run(async (tx) => {
        await tx.acts.submitted(act.id);
        await tx.acts.postpone(act.id, LOOK_MS * Math.min(20, 1 + act.attempts), 'ledger.outcome-unknown');
      });
    } catch (error) {
      const code = error instanceof PortolanError ? error.code : 'ledger.outcome-unknown';
      this.logger.failure(`act ${act.fn} did not reach the channel`, code, error);
      await this.uow.run((tx) => tx.acts.postpone(act.id, Math.min(10_000, 200 * 2 ** Math.min(act.attempts, 6)), code));
    }
  }

  private async settle(act: ActRow, valid: boolean, code: string | undefined): Promise<void> {
    await this.uow.run(async (tx) => {
      const state = valid ? 'committed' : 'invalid';
      await tx.acts.settle(act.id, state, code);
      const keyId = await tx.keys.create();
      const body = { actId: act.id, state, ...(code === undefined ? {} : { code }) } as const;
      await post(tx, { id: this.random.uuid(), type: 'act.settled', key: act.id, keyId, body });
    });
    if (!valid) this.logger.failure(`the channel refused ${act.fn}`, code ?? 'ledger.outcome-unknown');
  }
}

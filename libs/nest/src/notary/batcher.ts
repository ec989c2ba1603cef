import type { AnchorBatchArgs, BatchStep, CommittedPredecessor } from '@portolan/contracts';
import type { BatchRow, CommittedTx, Leases, Ledger, StepRow, Wakeups } from '@portolan/domain';
import { HeldLease } from '../runtime/held-lease.js';
import { Loop, sleep } from '../runtime/loop.js';
import { BatchOutcome, type BatchOutcomeParts } from './batch-outcome.js';
import { HOLD_BACK_MS as GROUND_HOLD_BACK_MS, type RestingOn } from './resting-on.js';

/** Most steps of one transaction: the rule's own limit is 1,000. */
const MAX_STEPS = 1_000;
/** Characters of leaves and proofs in one batch: a signed transaction has at most 1,000,000, in base64url. */
const MAX_CHARS = 600_000;
/** While a block is being indexed whose batch holds the end of a transfer: only then is known whether that end counts. */
const INDEXER_PAUSE_MS = 10;

export interface BatcherParts extends BatchOutcomeParts {
  readonly holder: string;
  /** How long a copy of the role that went silent keeps this work. */
  readonly takeOverAfterMs: number;
  readonly ledger: Ledger;
  readonly leases: Leases;
  readonly restingOn: RestingOn;
  readonly wakeups: Wakeups;
  /** Most steps of one batch; what one transaction holds where absent. */
  readonly mostTogether?: number;
}

/**
 * The single writer of this country's batches. While one batch is on its way, the next steps gather; its composition is written
 * before it is submitted, and its outcome is asked for by its transaction before anything is submitted again. Rows 8 and 10 of the flow.
 */
export class Batcher {
  private readonly loop: Loop;
  private readonly lease: HeldLease;
  private readonly outcome: BatchOutcome;
  private size: number;
  private submittedAt = 0;

  constructor(private readonly parts: BatcherParts) {
    const { wakeups, logger } = parts;
    this.size = this.most;
    this.outcome = new BatchOutcome(parts);
    this.lease = new HeldLease(parts.leases, 'batcher', parts.holder, parts.takeOverAfterMs);
    this.loop = new Loop({ name: 'batcher', work: () => this.round(), idleMs: 250, wakeups, channel: 'steps', logger });
  }

  start(): void {
    this.loop.start();
  }

  async stop(): Promise<void> {
    await this.loop.stop();
    await this.lease.release();
  }

  private get most(): number {
    return Math.min(MAX_STEPS, this.parts.mostTogether ?? MAX_STEPS);
  }

  private async round(): Promise<boolean> {
    return this.lease.during((fencing) => this.advance(fencing));
  }

  private async advance(fencing: number): Promise<boolean> {
    const open = await this.parts.uow.alone((tx) => tx.batches.open());
    if (open === undefined) return this.begin(fencing);
    return this.pursue(open, fencing);
  }

  private async begin(fencing: number): Promise<boolean> {
    const { uow, random, checkpoint } = this.parts;
    const pending = withinChars(await this.ready(fencing));
    if (pending.length === 0) return false;
    const batch = await uow.run(async (tx) => {
      const n = ((await tx.batches.last()) ?? -1) + 1;
      const next = { n, txId: random.uuid(), args: { v: 1, n, steps: pending.map(batchStep) } satisfies AnchorBatchArgs };
      await tx.batches.put(next, fencing);
      await tx.steps.batch(n, pending, fencing);
      checkpoint.reach('anchor', 'before');
      return next;
    });
    checkpoint.reach('anchor', 'after');
    await this.submit(batch);
    return true;
  }

  /** Pending steps whose ground stands, with the proof of what they follow; the others are held back, and a second end goes nowhere. */
  private async ready(fencing: number): Promise<readonly StepRow[]> {
    const { uow, restingOn } = this.parts;
    const ready: StepRow[] = [];
    const pending = await uow.alone((tx) => tx.steps.pending(this.size));
    const overtaken = await uow.run((tx) => this.outcome.overtaken(tx, pending));
    for (const step of pending) {
      const ended = overtaken.get(step);
      const ground = ended === undefined ? await restingOn.stepGround(step) : 'never';
      const why = ended ?? { code: 'ledger.predecessor-missing' };
      if (ground === 'never') await uow.run((tx) => this.outcome.reject(tx, step, why, fencing));
      else if (ground === 'wait') await uow.run((tx) => tx.steps.again(step, GROUND_HOLD_BACK_MS, fencing));
      else ready.push(ground === 'none' ? step : { ...step, evidence: ground });
    }
    return ready;
  }

  private async submit(batch: { txId: string; args: unknown }): Promise<void> {
    this.submittedAt = Date.now();
    await this.parts.ledger.submit({ id: batch.txId, fn: 'anchor-batch', args: batch.args });
  }

  private async pursue(open: BatchRow, fencing: number): Promise<boolean> {
    const { ledger } = this.parts;
    // Read before the outcome is looked for: a block that comes between the two is not waited for.
    const height = await ledger.height();
    const outcome = await ledger.outcome(open.txId);
    if (outcome === undefined) {
      if (Date.now() - this.submittedAt > 2_000) await this.submit(open);
      await ledger.beyond(height, 250);
      return true;
    }
    if (!outcome.valid) this.size = await this.outcome.takeApart(open, outcome, this.size, fencing);
    else if (await this.outcome.isKnown(open, outcome)) await this.settle(open, outcome, fencing);
    else await sleep(INDEXER_PAUSE_MS);
    return true;
  }

  private async settle(open: BatchRow, outcome: CommittedTx, fencing: number): Promise<void> {
    this.size = this.most;
    await this.outcome.settle(open, outcome, fencing);
  }
}

function batchStep(step: StepRow): BatchStep {
  return step.evidence === undefined || step.evidence === null
    ? { leaf: step.leaf }
    : { leaf: step.leaf, after: step.evidence as CommittedPredecessor };
}

/** The first steps that fit one transaction; at least one. */
function withinChars(steps: readonly StepRow[]): readonly StepRow[] {
  let chars = 0;
  return steps.filter((step, index) => {
    chars += step.leaf.length + JSON.stringify(step.evidence ?? '').length;
    return index === 0 || chars <= MAX_CHARS;
  });
}

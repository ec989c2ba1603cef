import type { AnchorBatchArgs, BatchStep, CommittedPredecessor, Instant, StepLeaf } from '@portolan/contracts';
import {
  post,
  type BatchRow,
  type Checkpoint,
  type CommittedTx,
  type Leases,
  type Ledger,
  type NotaryTx,
  type Random,
  type Sha256,
  type StepRow,
  type UnitOfWork,
  type Wakeups,
} from '@portolan/domain';
import { inclusionPath, leafHash, utf8 } from '@portolan/verify';
import { Loop } from '../runtime/loop.js';
import type { NodeLogger } from '../runtime/logger.js';
import { HOLD_BACK_MS as GROUND_HOLD_BACK_MS, type RestingOn } from './resting-on.js';

/** Most steps of one transaction: the rule's own limit is 1,000. */
const MAX_STEPS = 1_000;
/** Characters of leaves and proofs in one batch: a signed transaction has at most 1,000,000, in base64url. */
const MAX_CHARS = 600_000;
/** An expiry that came before its time by the transaction's clock waits this long before it is tried again. */
const TOO_EARLY_MS = 1_000;
/** A step whose predecessor is not visible yet waits this long before it is tried again. */
const HOLD_BACK_MS = 200;

export interface BatcherParts {
  readonly org: string;
  readonly holder: string;
  /** How long a copy of the role that went silent keeps this work. */
  readonly takeOverAfterMs: number;
  readonly uow: UnitOfWork<NotaryTx>;
  readonly ledger: Ledger;
  readonly leases: Leases;
  readonly random: Random;
  readonly sha256: Sha256;
  readonly restingOn: RestingOn;
  readonly checkpoint: Checkpoint;
  readonly logger: NodeLogger;
  readonly wakeups: Wakeups;
}

/**
 * The single writer of this country's batches. While one batch is on its way, the next steps gather; its composition is written
 * before it is submitted, and its outcome is asked for by its transaction before anything is submitted again. Rows 8 and 10 of the flow.
 */
export class Batcher {
  private readonly loop: Loop;
  private size = MAX_STEPS;
  private submittedAt = 0;

  constructor(private readonly parts: BatcherParts) {
    const { wakeups, logger } = parts;
    this.loop = new Loop({ name: 'batcher', work: () => this.round(), idleMs: 100, wakeups, channel: 'steps', logger });
  }

  start(): void {
    this.loop.start();
  }

  async stop(): Promise<void> {
    await this.loop.stop();
    await this.parts.leases.release('batcher', this.parts.holder);
  }

  private async round(): Promise<boolean> {
    const fencing = await this.parts.leases.acquire('batcher', this.parts.holder, this.parts.takeOverAfterMs);
    if (fencing === undefined) return false;
    const open = await this.parts.uow.run((tx) => tx.batches.open());
    if (open === undefined) return this.begin(fencing);
    return this.pursue(open);
  }

  private async begin(fencing: number): Promise<boolean> {
    const { uow, random, checkpoint } = this.parts;
    const pending = withinChars(await this.ready());
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

  /** Pending steps whose ground stands, with the proof of what they follow; the others are held back. */
  private async ready(): Promise<readonly StepRow[]> {
    const { uow, restingOn } = this.parts;
    const ready: StepRow[] = [];
    for (const step of await uow.run((tx) => tx.steps.pending(this.size))) {
      const ground = await restingOn.stepGround(step);
      if (ground === 'never') await uow.run((tx) => this.rejectStep(tx, step, 'ledger.predecessor-missing'));
      else if (ground === 'wait') await uow.run((tx) => tx.steps.again(step.transferId, step.step, GROUND_HOLD_BACK_MS));
      else ready.push(ground === 'none' ? step : { ...step, evidence: ground });
    }
    return ready;
  }

  private async submit(batch: { txId: string; args: unknown }): Promise<void> {
    this.submittedAt = Date.now();
    await this.parts.ledger.submit({ id: batch.txId, fn: 'anchor-batch', args: batch.args });
  }

  private async pursue(open: BatchRow): Promise<boolean> {
    const { ledger } = this.parts;
    const outcome = await ledger.outcome(open.txId);
    if (outcome === undefined) {
      if (Date.now() - this.submittedAt > 2_000) await this.submit(open);
      await ledger.beyond(await ledger.height(), 250);
      return true;
    }
    if (outcome.valid) await this.settle(open, outcome);
    else await this.takeApart(open, outcome);
    return true;
  }

  private async settle(open: BatchRow, outcome: CommittedTx): Promise<void> {
    const { uow, checkpoint, sha256, org } = this.parts;
    this.size = MAX_STEPS;
    await uow.run(async (tx) => {
      const steps = await tx.steps.ofBatch(open.n);
      const accepted = steps.filter((_step, index) => outcome.verdicts?.[index]?.accepted === true);
      const leaves = accepted.map(({ leaf }) => leafHash(utf8(leaf), sha256));
      for (const [index, step] of steps.entries()) {
        const position = accepted.indexOf(step);
        if (position < 0) await this.rejectStep(tx, step, outcome.verdicts?.[index]?.code ?? 'ledger.outcome-unknown');
        else
          await this.acceptStep(
            tx,
            step,
            { org, n: open.n, index: position, leaf: step.leaf, path: inclusionPath(position, leaves, sha256) },
            foundFor(step, (open.args as AnchorBatchArgs).steps[index]),
          );
      }
      await tx.batches.settle(open.n, 'committed');
      checkpoint.reach('anchored', 'before');
    });
    checkpoint.reach('anchored', 'after');
  }

  private async acceptStep(
    tx: NotaryTx,
    step: StepRow,
    stands: CommittedPredecessor,
    after: CommittedPredecessor | undefined,
  ): Promise<void> {
    const { transferId, step: name } = step;
    await tx.steps.accept(transferId, name, stands.index);
    const keyId = await tx.keys.create();
    const body = { transferId, step: name, state: 'accepted', stands, ...(after === undefined ? {} : { after }) } as const;
    await post(tx, { id: this.parts.random.uuid(), type: 'step.settled', key: transferId, keyId, body });
  }

  private async rejectStep(tx: NotaryTx, step: StepRow, code: string): Promise<void> {
    const { transferId, step: name } = step;
    // Two clocks differ: what is too early now is right in a moment, so this is no verdict.
    if (code === 'ledger.step-too-early') return tx.steps.again(transferId, name, TOO_EARLY_MS);
    await tx.steps.reject(transferId, name, code);
    const keyId = await tx.keys.create();
    await post(tx, {
      id: this.parts.random.uuid(),
      type: 'step.settled',
      key: transferId,
      keyId,
      body: { transferId, step: name, state: 'rejected', code },
    });
    this.parts.logger.failure(`the channel refused step ${name}`, code);
  }

  /** An invalid batch is as if it had never been: steps whose predecessor is not visible wait, a batch that fails otherwise is halved. */
  private async takeApart(open: BatchRow, outcome: CommittedTx): Promise<void> {
    const code = outcome.code ?? 'ledger.outcome-unknown';
    await this.parts.uow.run(async (tx) => {
      const steps = await tx.steps.ofBatch(open.n);
      const held = heldBack(outcome);
      const alone = steps.length === 1 && held === undefined;
      for (const [index, step] of steps.entries()) {
        if (alone) await this.rejectStep(tx, step, code);
        else if (held?.has(index) === true && isForgone(step, outcome.time)) await this.rejectStep(tx, step, 'ledger.predecessor-missing');
        else await tx.steps.again(step.transferId, step.step, held?.has(index) === true ? HOLD_BACK_MS : 0);
      }
      await tx.batches.settle(open.n, 'invalid');
      if (held === undefined) this.size = Math.max(1, Math.floor(steps.length / 2));
    });
    if (code !== 'ledger.predecessor-not-visible') this.parts.logger.failure('the channel refused a batch', code);
  }
}

function batchStep(step: StepRow): BatchStep {
  return step.evidence === undefined || step.evidence === null
    ? { leaf: step.leaf }
    : { leaf: step.leaf, after: step.evidence as CommittedPredecessor };
}

/** The predecessor that was found here for a step that came without; the exchange does not know it yet. */
function foundFor(step: StepRow, sent: BatchStep | undefined): CommittedPredecessor | undefined {
  const after = sent?.after;
  return step.evidence === undefined && after !== undefined && 'org' in after ? after : undefined;
}

/** The release that it follows does not stand, and by its own limit and grace nothing may follow it any more: it was never there. */
function isForgone({ evidence }: StepRow, at: Instant): boolean {
  const leaf = evidence === undefined || evidence === null ? undefined : (JSON.parse((evidence as CommittedPredecessor).leaf) as StepLeaf);
  return leaf?.step === 'released' && Date.parse(leaf.limit) + leaf.graceSeconds * 1000 < Date.parse(at);
}

/** The first steps that fit one transaction; at least one. */
function withinChars(steps: readonly StepRow[]): readonly StepRow[] {
  let chars = 0;
  return steps.filter((step, index) => {
    chars += step.leaf.length + JSON.stringify(step.evidence ?? '').length;
    return index === 0 || chars <= MAX_CHARS;
  });
}

/** Indexes of the steps that the rule asks to hold back, `steps/3,7`; undefined where the batch failed for another reason. */
function heldBack(outcome: CommittedTx): ReadonlySet<number> | undefined {
  if (outcome.code !== 'ledger.predecessor-not-visible') return undefined;
  const [, list] = (outcome.where ?? '').split('/');
  return new Set((list ?? '').split(',').map(Number));
}

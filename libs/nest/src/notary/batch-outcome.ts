import {
  errorRegistry,
  isErrorCode,
  type AnchorBatchArgs,
  type BatchStep,
  type CommittedPredecessor,
  type Instant,
  type StepLeaf,
} from '@portolan/contracts';
import {
  endSteps,
  post,
  type BatchRow,
  type Checkpoint,
  type CommittedTx,
  type NotaryTx,
  type Random,
  type Sha256,
  type StepRow,
  type UnitOfWork,
} from '@portolan/domain';
import { closesAt } from '@portolan/ledger-rules';
import { inclusionPath, leafHash, utf8 } from '@portolan/verify';
import type { NodeLogger } from '../runtime/logger.js';

/** An expiry that came before its time by the transaction's clock waits this long before it is tried again. */
const TOO_EARLY_MS = 1_000;
/** A step whose predecessor is not visible yet waits this long before it is tried again. */
const HOLD_BACK_MS = 200;

export interface BatchOutcomeParts {
  readonly org: string;
  readonly uow: UnitOfWork<NotaryTx>;
  readonly random: Random;
  readonly sha256: Sha256;
  readonly checkpoint: Checkpoint;
  readonly logger: NodeLogger;
}

/** Why a step does not count; `ended`: the end of its transfer that does, where it came after that. */
export interface Rejection {
  readonly code: string;
  readonly ended?: string;
}

/**
 * What the steps of a batch come to once its transaction stands: each is told to the exchange, in the transaction that settles the batch
 * under the batcher's fencing number. So who was frozen beyond its lease settles nothing, least of all the batch that came after.
 */
export class BatchOutcome {
  constructor(private readonly parts: BatchOutcomeParts) {}

  /** Whether what counts is known: an end may count only once the trail has reached its block. */
  async isKnown(open: BatchRow, outcome: CommittedTx): Promise<boolean> {
    return this.parts.uow.run(async (tx) => {
      if ((await tx.trail.checkpoint()) >= outcome.block) return true;
      return !(await tx.steps.ofBatch(open.n)).some(({ step }) => endSteps.includes(step));
    });
  }

  async settle(open: BatchRow, outcome: CommittedTx, fencing: number): Promise<void> {
    const { uow, checkpoint, sha256, org } = this.parts;
    await uow.run(async (tx) => {
      await tx.batches.settle(open, 'committed', fencing);
      const steps = await tx.steps.ofBatch(open.n);
      const overtaken = await this.overtaken(tx, steps);
      const accepted = steps.filter((_step, index) => outcome.verdicts?.[index]?.accepted === true);
      const leaves = accepted.map(({ leaf }) => leafHash(utf8(leaf), sha256));
      for (const [index, step] of steps.entries()) {
        const position = accepted.indexOf(step);
        if (position < 0) {
          await this.reject(tx, step, { code: outcome.verdicts?.[index]?.code ?? 'ledger.outcome-unknown' }, fencing);
          continue;
        }
        await tx.steps.accept(step, position, fencing);
        const stands = { org, n: open.n, index: position, leaf: step.leaf, path: inclusionPath(position, leaves, sha256) };
        const by = overtaken.get(step);
        if (by === undefined) await this.tellAccepted(tx, step, stands, foundFor(step, (open.args as AnchorBatchArgs).steps[index]));
        else await this.tellRejected(tx, step, by);
      }
      checkpoint.reach('anchored', 'before');
    });
    checkpoint.reach('anchored', 'after');
  }

  /**
   * An invalid batch is as if it had never been: steps whose predecessor is not visible wait, a batch that fails otherwise is halved.
   * Answers with the most steps of the next one.
   */
  async takeApart(open: BatchRow, outcome: CommittedTx, most: number, fencing: number): Promise<number> {
    const code = outcome.code ?? 'ledger.outcome-unknown';
    const held = heldBack(outcome);
    const size = await this.parts.uow.run(async (tx) => {
      await tx.batches.settle(open, 'invalid', fencing);
      const steps = await tx.steps.ofBatch(open.n);
      for (const [index, step] of steps.entries()) {
        const hidden = held?.has(index) === true;
        const why = hidden ? forgone(step, outcome.time) : held === undefined ? verdictAlone(steps, code) : undefined;
        if (why === undefined) await tx.steps.again(step, hidden || isRetriable(code) ? HOLD_BACK_MS : 0, fencing);
        else await this.reject(tx, step, { code: why }, fencing);
      }
      return held === undefined ? Math.max(1, Math.floor(steps.length / 2)) : most;
    });
    if (code !== 'ledger.predecessor-not-visible') this.parts.logger.failure('the channel refused a batch', code);
    return size;
  }

  /** What is too early by the channel's clock is right in a moment: no verdict. */
  async reject(tx: NotaryTx, step: StepRow, why: Rejection, fencing: number): Promise<void> {
    if (why.code === 'ledger.step-too-early') return tx.steps.again(step, TOO_EARLY_MS, fencing);
    await tx.steps.reject(step, why.code, fencing);
    await this.tellRejected(tx, step, why);
  }

  /** Ends among these steps that come, or came, after another end of their transfer. */
  async overtaken(tx: NotaryTx, steps: readonly StepRow[]): Promise<ReadonlyMap<StepRow, Rejection>> {
    const ends = steps.filter(({ step }) => endSteps.includes(step));
    if (ends.length === 0) return new Map();
    const counting = (await tx.trail.counting(ends.map(({ transferId }) => transferId))).filter(({ step }) => endSteps.includes(step));
    return new Map(
      ends.flatMap((end) => {
        const { transferId, from, to } = JSON.parse(end.leaf) as StepLeaf;
        const first = counting.find((one) => one.transferId === transferId && one.from === from && one.to === to);
        if (first === undefined || first.leaf === end.leaf) return [];
        return [[end, { code: 'ledger.end-repeated', ended: first.step }] as const];
      }),
    );
  }

  private async tellAccepted(
    tx: NotaryTx,
    { transferId, step, act }: StepRow,
    stands: CommittedPredecessor,
    after: CommittedPredecessor | undefined,
  ): Promise<void> {
    const keyId = await tx.keys.create();
    const optional = { ...(act === undefined ? {} : { act }), ...(after === undefined ? {} : { after }) };
    const body = { transferId, step, state: 'accepted', stands, ...optional } as const;
    await post(tx, { id: this.parts.random.uuid(), type: 'step.settled', key: transferId, keyId, body });
  }

  private async tellRejected(tx: NotaryTx, { transferId, step, act }: StepRow, why: Rejection): Promise<void> {
    const keyId = await tx.keys.create();
    const body = { transferId, step, state: 'rejected', ...(act === undefined ? {} : { act }), ...why } as const;
    await post(tx, { id: this.parts.random.uuid(), type: 'step.settled', key: transferId, keyId, body });
    this.parts.logger.failure(`step ${step} does not count`, why.code);
  }
}

const isRetriable = (code: string): boolean => isErrorCode(code) && errorRegistry[code].retriable;

/** A batch of one step was refused for that step; but what may succeed later without a change is no verdict on it. */
const verdictAlone = (steps: readonly StepRow[], code: string): string | undefined =>
  steps.length === 1 && !isRetriable(code) ? code : undefined;

/** The predecessor that was found here for a step that came without; the exchange does not know it yet. */
function foundFor(step: StepRow, sent: BatchStep | undefined): CommittedPredecessor | undefined {
  const after = sent?.after;
  return step.evidence === undefined && after !== undefined && 'org' in after ? after : undefined;
}

/**
 * The release that a step follows does not stand, and by limit and grace nothing of the receiver's may follow it any more: it was never
 * there. An expiry has all the time there is.
 */
function forgone({ step, evidence }: StepRow, at: Instant): 'ledger.predecessor-missing' | undefined {
  if (step === 'expired' || evidence === undefined || evidence === null) return undefined;
  const leaf = JSON.parse((evidence as CommittedPredecessor).leaf) as StepLeaf;
  return leaf.step === 'released' && closesAt(leaf, at) < at ? 'ledger.predecessor-missing' : undefined;
}

/** Indexes of the steps that the rule asks to hold back, `steps/3,7`; undefined where the batch failed for another reason. */
function heldBack(outcome: CommittedTx): ReadonlySet<number> | undefined {
  if (outcome.code !== 'ledger.predecessor-not-visible') return undefined;
  const [, list] = (outcome.where ?? '').split('/');
  return new Set((list ?? '').split(',').map(Number));
}

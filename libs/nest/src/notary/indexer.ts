import type {
  AnchorBatchArgs,
  KeyEndRecord,
  KeyRecord,
  PermitEndRecord,
  PermitRecord,
  PutHeadArgs,
  PutPermitsArgs,
  StepLeaf,
} from '@portolan/contracts';
import {
  post,
  type CommittedBlock,
  type CommittedTx,
  type Leases,
  type Ledger,
  type NotaryTx,
  type Random,
  type RepeatedStep,
  type TrailStep,
  type UnitOfWork,
} from '@portolan/domain';
import { HeldLease } from '../runtime/held-lease.js';
import { Loop } from '../runtime/loop.js';
import type { NodeLogger } from '../runtime/logger.js';

const BLOCKS_A_ROUND = 50;

export interface IndexerParts {
  readonly org: string;
  readonly holder: string;
  /** How long a copy of the role that went silent keeps this work. */
  readonly takeOverAfterMs: number;
  readonly uow: UnitOfWork<NotaryTx>;
  readonly ledger: Ledger;
  readonly leases: Leases;
  readonly random: Random;
  readonly logger: NodeLogger;
}

/**
 * Follows our own copy of the channel block by block and keeps the read model for trail queries; what our exchange must know at once
 * (a permit or a key that ended) goes out in the same transaction as the checkpoint, so no block is skipped or told twice.
 */
export class Indexer {
  private readonly loop: Loop;
  private readonly lease: HeldLease;

  constructor(private readonly parts: IndexerParts) {
    this.lease = new HeldLease(parts.leases, 'indexer', parts.holder, parts.takeOverAfterMs);
    this.loop = new Loop({ name: 'indexer', work: () => this.round(), idleMs: 20, logger: parts.logger });
  }

  start(): void {
    this.loop.start();
  }

  async stop(): Promise<void> {
    await this.loop.stop();
    await this.lease.release();
  }

  private async round(): Promise<boolean> {
    return this.lease.during((fencing) => this.advance(fencing));
  }

  private async advance(fencing: number): Promise<boolean> {
    const { uow, ledger } = this.parts;
    const done = await uow.alone((tx) => tx.trail.checkpoint());
    const blocks = await ledger.blocks(done + 1, BLOCKS_A_ROUND);
    for (const block of blocks) this.alarm(await uow.run((tx) => this.index(tx, block, fencing)));
    if (blocks.length === 0) await ledger.beyond(done, 500);
    return true;
  }

  /** Answers with the steps that repeat one that counts. */
  private async index(tx: NotaryTx, block: CommittedBlock, fencing: number): Promise<readonly TrailStep[]> {
    const repeated: TrailStep[] = [];
    for (const one of block.transactions) if (one.valid) repeated.push(...(await this.apply(tx, one)));
    await tx.trail.advance(block.number, fencing);
    return repeated;
  }

  /** Who anchors two releases or two ends of one transfer has proved it against itself: it is named here, and stays named in the trail. */
  private alarm(repeated: readonly TrailStep[]): void {
    for (const { transferId, step, org, alarm } of repeated)
      if (alarm !== undefined)
        this.parts.logger.failure(`the channel holds a second one: ${step} of transfer ${transferId} by ${org}`, alarm);
  }

  private async apply(tx: NotaryTx, one: CommittedTx): Promise<readonly TrailStep[]> {
    switch (one.fn) {
      case 'anchor-batch':
        return this.steps(tx, one, one.args as AnchorBatchArgs);
      case 'put-permit':
        await tx.trail.putPermit({ ...(one.args as PermitRecord), block: one.block });
        return [];
      case 'put-permits':
        for (const permit of (one.args as PutPermitsArgs).permits) await tx.trail.putPermit({ ...permit, block: one.block });
        return [];
      case 'end-permit':
        await this.permitEnd(tx, one, (one.args as PermitEndRecord).permitId);
        return [];
      case 'put-head':
        await this.head(tx, one, one.args as PutHeadArgs);
        return [];
      case 'put-key':
        await tx.trail.putKey({ ...(one.args as KeyRecord), endedAt: undefined });
        return [];
      case 'end-key':
        await this.keyEnd(tx, one, one.args as KeyEndRecord);
        return [];
      default:
        return [];
    }
  }

  private async steps(tx: NotaryTx, one: CommittedTx, args: AnchorBatchArgs): Promise<readonly TrailStep[]> {
    const accepted = args.steps.flatMap(({ leaf: text }, index) =>
      one.verdicts?.[index]?.accepted === true ? [{ text, index, leaf: JSON.parse(text) as StepLeaf }] : [],
    );
    const before = (await tx.trail.counting(accepted.map(({ leaf }) => leaf.transferId))).filter((step) => isBefore(step, one));
    const counting = new Set(before.map(onceKey));
    const rows: TrailStep[] = [];
    for (const [position, { text, index, leaf }] of accepted.entries()) {
      const permitId = 'permitId' in leaf ? leaf.permitId : undefined;
      rows.push({
        block: one.block,
        position: positionOf(one) + index,
        at: one.time,
        org: one.org,
        transferId: leaf.transferId,
        step: leaf.step,
        from: leaf.from,
        to: leaf.to,
        permitId,
        purpose: permitId === undefined ? undefined : (await tx.trail.permit(permitId))?.purpose,
        reason: 'reason' in leaf ? leaf.reason : undefined,
        late: 'late' in leaf && leaf.late !== undefined,
        batch: args.n,
        index: position,
        leaf: text,
        alarm: repetition(leaf, counting),
      });
    }
    await tx.trail.putSteps(rows);
    return rows.filter(({ alarm }) => alarm !== undefined);
  }

  private async permitEnd(tx: NotaryTx, one: CommittedTx, permitId: string): Promise<void> {
    await tx.trail.endPermit(permitId, one.time, one.block);
    const permit = await tx.trail.permit(permitId);
    if (permit?.recipient !== this.parts.org) return;
    const keyId = await tx.keys.create();
    await post(tx, { id: this.parts.random.uuid(), type: 'permit.ended-on-channel', key: permitId, keyId, body: { permitId } });
  }

  private async keyEnd(tx: NotaryTx, one: CommittedTx, { org, kid }: KeyEndRecord): Promise<void> {
    await tx.trail.endKey(org, kid, one.time);
    if (org === this.parts.org) return;
    const keyId = await tx.keys.create();
    await post(tx, { id: this.parts.random.uuid(), type: 'key.ended-on-channel', key: kid, keyId, body: { org, kid } });
  }

  private async head(tx: NotaryTx, one: CommittedTx, { org, seq, batches }: PutHeadArgs): Promise<void> {
    const [first, last] = [batches[0], batches.at(-1)];
    if (first === undefined || last === undefined) return;
    await tx.trail.putHead({ org, seq, txId: one.id, block: one.block, fromBatch: first.n, toBatch: last.n });
  }
}

/** Place of a transaction's first step among those of its block. */
const positionOf = ({ index }: CommittedTx): number => index * 10_000;

const isBefore = ({ block, position }: TrailStep, one: CommittedTx): boolean =>
  block < one.block || (block === one.block && position < positionOf(one));

/** What counts once over all batches: of one transfer between two countries its release, and its end. */
const onceKey = ({ transferId, from, to, step }: Pick<TrailStep, 'transferId' | 'from' | 'to' | 'step'>): string =>
  `${transferId} ${from} ${to} ${step === 'released' ? 'release' : 'end'}`;

/** The first counts, and is noted as such. */
function repetition(leaf: StepLeaf, counting: Set<string>): RepeatedStep | undefined {
  if (leaf.step === 'adopted') return undefined;
  const key = onceKey(leaf);
  if (counting.has(key)) return leaf.step === 'released' ? 'ledger.release-repeated' : 'ledger.end-repeated';
  counting.add(key);
  return undefined;
}

import { PortolanError, type Receipt, type Uuid } from '@portolan/contracts';
import type { Ledger, NotaryTx, Sha256, TrailFilter, TrailPlace, TrailStep, UnitOfWork } from '@portolan/domain';
import { inclusionPath, leafHash, merkleRoot, utf8 } from '@portolan/verify';
import { eventPath } from './sequencer.js';

export interface TrailPage {
  readonly steps: readonly TrailStep[];
  /** Cursor of the next page, undefined on the last. */
  readonly next: TrailPlace | undefined;
}

/** What a regulator asks of any country's node: the trail over all countries, and the proof of each line of it. */
export class TrailQueries {
  constructor(
    private readonly uow: UnitOfWork<NotaryTx>,
    private readonly ledger: Ledger,
    private readonly sha256: Sha256,
  ) {}

  async page(filter: TrailFilter, limit: number, behind?: TrailPlace): Promise<TrailPage> {
    return this.uow.run(async (tx) => {
      const upTo = behind?.upTo ?? (await tx.trail.checkpoint());
      const steps = await tx.trail.steps(filter, limit, behind);
      const last = steps.length === limit ? steps.at(-1) : undefined;
      return { steps, next: last === undefined ? undefined : { upTo, at: last.at, block: last.block, position: last.position } };
    });
  }

  /** Steps that repeat one that counts, newest first: which country anchored what of which transfer a second time. */
  async repeated(limit: number): Promise<readonly Pick<TrailStep, 'org' | 'transferId' | 'step' | 'at' | 'alarm'>[]> {
    const steps = await this.uow.alone((tx) => tx.trail.steps({ alarm: 'true' }, limit));
    return steps.map(({ org, transferId, step, at, alarm }) => ({ org, transferId, step, at, alarm }));
  }

  /** The receipt of a step as it stands now, without what only the parties can add; `ledger.not-anchored-yet` until its head is proved. */
  async receipt(transferId: Uuid, step: string): Promise<Receipt> {
    const found = await this.uow.run(async (tx) => {
      const [line] = await tx.trail.steps({ transferId, step, alarm: 'false' }, 1);
      if (line === undefined) throw new PortolanError('trail.unknown', 'notary/receipt');
      const head = await tx.trail.headOf(line.org, line.batch);
      return { line, head, leaves: await tx.trail.leaves(line.org, line.batch) };
    });
    const { line, head, leaves } = found;
    const evidence = head === undefined ? undefined : await this.ledger.evidence(head.txId);
    if (evidence === undefined) throw new PortolanError('trail.not-anchored-yet', 'notary/receipt');
    const hashes = leaves.map((leaf) => leafHash(utf8(leaf), this.sha256));
    const batch = {
      n: line.batch,
      root: merkleRoot(hashes, this.sha256),
      count: hashes.length,
      index: line.index,
      path: inclusionPath(line.index, hashes, this.sha256),
    };
    return { ...evidence, leaf: line.leaf, batch };
  }

  /** Where an audit event stands in this country's log, and the path to the root of its newest anchored head. */
  async eventProof(
    eventId: Uuid,
  ): Promise<{ index: number; size: number; root: string; path: readonly string[]; head: number } | undefined> {
    return this.uow.run(async (tx) => {
      const index = await tx.log.indexOf(eventId);
      const head = await tx.heads.last();
      if (index === undefined || head?.state !== 'committed' || index >= head.size) return undefined;
      return { index, size: head.size, root: head.root, path: await eventPath(tx, index, head.size, this.sha256), head: head.seq };
    });
  }
}

import type { BatchRecord, PutHeadArgs } from '@portolan/contracts';
import type { BatchRow, HeadRow, Leases, Ledger, NotaryTx, Random, Sha256, UnitOfWork, Wakeups } from '@portolan/domain';
import { names } from '@portolan/ledger-rules';
import { foldPlan, Frontier, frontierNodes, planConsistency, planInclusion, textOf, type NodeId, type PathPlan } from '@portolan/verify';
import { PortolanError } from '@portolan/contracts';
import { HeldLease } from '../runtime/held-lease.js';
import { Loop } from '../runtime/loop.js';
import type { NodeLogger } from '../runtime/logger.js';

const LEAVES_A_ROUND = 1_000;
const BATCHES_A_HEAD = 500;

export interface SequencerParts {
  readonly org: string;
  readonly holder: string;
  /** How long a copy of the role that went silent keeps this work. */
  readonly takeOverAfterMs: number;
  readonly uow: UnitOfWork<NotaryTx>;
  readonly ledger: Ledger;
  readonly leases: Leases;
  readonly random: Random;
  readonly sha256: Sha256;
  readonly logger: NodeLogger;
  readonly wakeups: Wakeups;
  /** Shortest time between two heads; a longer one saves transactions. */
  readonly headEveryMs: number;
}

/**
 * The single writer of this country's Merkle log (RFC 6962) and of its heads. Events are recorded when their row commits; here they get
 * their place in the log, and each head proves log and batches to the other countries.
 */
export class Sequencer {
  private readonly loop: Loop;
  private readonly lease: HeldLease;
  private lastHeadAt = 0;
  private submittedAt = 0;

  constructor(private readonly parts: SequencerParts) {
    const { wakeups, logger } = parts;
    this.lease = new HeldLease(parts.leases, 'sequencer', parts.holder, parts.takeOverAfterMs);
    this.loop = new Loop({ name: 'sequencer', work: () => this.round(), idleMs: 500, wakeups, channel: 'log', logger });
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
    const appended = await this.parts.uow.run((tx) => this.append(tx, fencing));
    const moved = await this.head(fencing);
    return appended || moved;
  }

  private async append(tx: NotaryTx, fencing: number): Promise<boolean> {
    const queued = await tx.log.queued(LEAVES_A_ROUND);
    if (queued.length === 0) return false;
    const frontier = await loadFrontier(tx, this.parts.sha256);
    await tx.log.append(frontier.size, queued, fencing);
    await tx.log.putNodes(queued.flatMap(({ leafHash }) => frontier.append(leafHash)));
    return true;
  }

  private async head(fencing: number): Promise<boolean> {
    const last = await this.parts.uow.alone((tx) => tx.heads.last());
    if (last?.state === 'open') return this.pursue(last, fencing);
    if (Date.now() - this.lastHeadAt < this.parts.headEveryMs) return false;
    const next = await this.parts.uow.run((tx) => this.compose(tx, last, fencing));
    if (next === undefined) return false;
    this.lastHeadAt = Date.now();
    await this.submit(next);
    return true;
  }

  /** The next head's arguments, written before they are submitted; undefined where nothing is new. */
  private async compose(tx: NotaryTx, last: HeadRow | undefined, fencing: number): Promise<{ txId: string; args: unknown } | undefined> {
    const { org, random, sha256, ledger } = this.parts;
    const batches = await tx.batches.headless(BATCHES_A_HEAD);
    const size = await tx.log.size();
    const before = last?.size ?? 0;
    if (size === before && batches.length === 0) return undefined;
    const seq = (last?.seq ?? -1) + 1;
    const root = (await loadFrontier(tx, sha256)).root();
    const consistency = await fold(tx, planConsistency(before, size), sha256);
    const anchored = await Promise.all(batches.map((batch) => committedBatch(ledger, org, batch)));
    const args: PutHeadArgs = { v: 1, org, seq, size, root, consistency, batches: anchored };
    const head = { seq, txId: random.uuid(), args, size, root };
    await tx.heads.put(head, fencing);
    return head;
  }

  private async submit(head: { txId: string; args: unknown }): Promise<void> {
    this.submittedAt = Date.now();
    await this.parts.ledger.submit({ id: head.txId, fn: 'put-head', args: head.args });
  }

  private async pursue(open: HeadRow, fencing: number): Promise<boolean> {
    const { ledger, uow } = this.parts;
    const height = await ledger.height();
    const outcome = await ledger.outcome(open.txId);
    if (outcome === undefined) {
      if (Date.now() - this.submittedAt > 2_000) await this.submit(open);
      await ledger.beyond(height, 250);
      return true;
    }
    await uow.run(async (tx) => {
      await tx.heads.settle(open, outcome.valid ? 'committed' : 'invalid', fencing);
      const { batches } = open.args as PutHeadArgs;
      const [first, final] = [batches[0], batches.at(-1)];
      if (outcome.valid && first !== undefined && final !== undefined) await tx.batches.assignHead(first.n, final.n, open.seq);
    });
    if (!outcome.valid) this.parts.logger.failure('the channel refused a head', outcome.code ?? 'ledger.outcome-unknown');
    return outcome.valid;
  }
}

async function loadFrontier(tx: NotaryTx, sha256: Sha256): Promise<Frontier> {
  const size = await tx.log.size();
  const hashes = await tx.log.nodes(frontierNodes(size));
  return new Frontier(size, hashes.map(stored), sha256);
}

const stored = (hash: string | undefined): string => {
  if (hash === undefined) throw new PortolanError('verify.node-missing', 'notary/log');
  return hash;
};

/** A proof of the log, folded from the stored nodes that its plan names. */
async function fold(tx: NotaryTx, plan: PathPlan, sha256: Sha256): Promise<string[]> {
  const ids = plan.flat();
  const hashes = await tx.log.nodes(ids);
  const known = new Map(ids.map((id, index) => [nodeKey(id), hashes[index]]));
  return foldPlan(plan, (id) => known.get(nodeKey(id)), sha256);
}

const nodeKey = ({ level, index }: NodeId): string => `${level}/${index}`;

/** Inclusion path of an event in the log of `size` leaves. */
export async function eventPath(tx: NotaryTx, index: number, size: number, sha256: Sha256): Promise<string[]> {
  return fold(tx, planInclusion(index, size), sha256);
}

/** The batch as it was committed: root and count of its accepted steps, from our own copy. */
async function committedBatch(ledger: Ledger, org: string, batch: BatchRow): Promise<{ n: number; root: string; count: number }> {
  const bytes = await ledger.record(org, names.batch(org, batch.n).key);
  if (bytes === undefined) throw new PortolanError('ledger.batch-not-visible', 'notary/head');
  const { record } = JSON.parse(textOf(bytes)) as { record: BatchRecord };
  return { n: batch.n, root: record.root, count: record.count };
}

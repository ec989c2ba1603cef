import { roles, type Leases, type NotedId, type Role, type RoleTx, type UnitOfWork } from '@portolan/domain';
import { Loop } from '../runtime/loop.js';
import type { NodeLogger } from '../runtime/logger.js';
import type { RoleLink } from './role-link.js';

const DAY_MS = 86_400_000;
/** Rows a transaction: none holds its locks for long. */
const BATCH = 500;
/** Transactions of each kind a round; what is left goes in the next one. */
const BATCHES_A_ROUND = 20;
const ROUND_MS = 600_000;
/** Renewed in each round; a round that outlasts it is fenced off. */
const LEASE_MS = 1_800_000;

/** How long rows are kept that have served. */
export interface Kept {
  /** Ids of what was received: what bears one of them is known again as long. */
  readonly inboxMs: number;
  /** What was delivered, with its body. */
  readonly deliveredMs: number;
}

/**
 * Nothing is refused or applied by an id that is no longer known: what a partner signed more than 30 days ago is stale by its own date
 * (exchange/notices.ts), everything else is known by its transfer, which stays. So ids are kept for longer than that.
 */
export const DEFAULT_KEPT: Kept = { inboxMs: 35 * DAY_MS, deliveredMs: 7 * DAY_MS };

export interface RetentionParts {
  readonly us: Role;
  readonly holder: string;
  readonly uow: UnitOfWork<RoleTx>;
  readonly link: Pick<RoleLink, 'ask'>;
  readonly leases: Leases;
  readonly logger: NodeLogger;
  readonly kept: Kept;
  /** Removes what else this role has had delivered, at most `limit`; answers with how many. */
  readonly also?: readonly ((kept: Kept, limit: number, fencing: number) => Promise<number>)[];
}

/**
 * Removes rows that have served, in small batches, one copy of a role at a time. An inbox id goes only when no other role of the node may
 * still deliver its message: a role that was away for longer than any retention delivers it once all the same.
 */
export class Retention {
  private readonly loop: Loop;

  constructor(private readonly parts: RetentionParts) {
    this.loop = new Loop({ name: 'retention', work: () => this.round(), idleMs: ROUND_MS, logger: parts.logger });
  }

  start(): void {
    this.loop.start();
  }

  async stop(): Promise<void> {
    await this.loop.stop();
    await this.parts.leases.release('retention', this.parts.holder);
  }

  /** False always: the rest has time until the next round. */
  async round(): Promise<boolean> {
    const { leases, holder, uow, kept, also = [] } = this.parts;
    const fencing = await leases.acquire('retention', holder, LEASE_MS);
    if (fencing === undefined) return false;
    await repeated(() => uow.run((tx) => tx.outbox.purge(kept.deliveredMs, BATCH, fencing)));
    for (const purge of also) await repeated(() => purge(kept, BATCH, fencing));
    await this.forget(fencing);
    return false;
  }

  private async forget(fencing: number): Promise<void> {
    const { uow, kept } = this.parts;
    let last: NotedId | undefined;
    for (let batch = 0; batch < BATCHES_A_ROUND; batch += 1) {
      const after = last;
      const noted = await uow.alone((tx) => tx.inbox.old(kept.inboxMs, BATCH, after));
      last = noted.at(-1);
      if (last === undefined) return;
      const ids = noted.map(({ id }) => id);
      const pending = await this.pending(ids);
      await uow.run((tx) =>
        tx.inbox.forget(
          ids.filter((id) => !pending.has(id)),
          fencing,
        ),
      );
    }
  }

  /** Which of these may come once more. A role that cannot be asked leaves all of them known. */
  private async pending(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const others = roles.filter((role) => role !== this.parts.us);
    const found = await Promise.all(others.map((role) => this.parts.link.ask<readonly string[]>(role, 'outbox.undelivered', { ids })));
    return new Set(found.flat());
  }
}

/** Batch after batch, as long as one was full. */
async function repeated(purge: () => Promise<number>): Promise<void> {
  for (let batch = 0; batch < BATCHES_A_ROUND; batch += 1) if ((await purge()) < BATCH) return;
}

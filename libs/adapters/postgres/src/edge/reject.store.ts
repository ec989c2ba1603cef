import { PortolanError, type Uuid } from '@portolan/contracts';
import type { Reject, RejectStore } from '@portolan/domain';
import type { Bodies } from '../bodies/bodies.js';
import type { Sql } from '../connect/sql.js';
import { MessageEntity, RejectEntity } from './edge.entities.js';

export class PostgresRejectStore implements RejectStore {
  constructor(
    private readonly sql: Sql,
    private readonly bodies: Bodies,
  ) {}

  async put(reject: Reject): Promise<void> {
    await this.sql.manager.insert(RejectEntity, { ...reject });
  }

  async get(id: Uuid): Promise<Reject | undefined> {
    const row = await this.sql.manager.findOneBy(RejectEntity, { id });
    return row === null ? undefined : rejectOf(row);
  }

  /** Oldest first. */
  async list(state: Reject['state'], limit: number): Promise<readonly Reject[]> {
    const rows = await this.sql.manager.find(RejectEntity, { where: { state }, order: { at: 'ASC', id: 'ASC' }, take: limit });
    return rows.map(rejectOf);
  }

  /** Throws `store.conflict` where it is not open. The reason is kept under the message's key, and not at all where that is destroyed. */
  async close(id: Uuid, state: 'repaired' | 'discarded', by: Uuid | undefined, reason: string): Promise<void> {
    const sealed = await this.sealedReason(id, reason);
    const change = { state, closedBy: by ?? null, reason: sealed };
    const closed = await this.sql.manager.update(RejectEntity, { id, state: 'open' }, change);
    if (closed.affected !== 1) throw new PortolanError('store.conflict', `reject ${id}`);
  }

  private async sealedReason(id: Uuid, reason: string): Promise<Buffer | null> {
    const query = this.sql.manager.createQueryBuilder(MessageEntity, 'message').select(['message.id', 'message.keyId']);
    const message = await query
      .innerJoin(RejectEntity, 'reject', 'reject.messageId = message.id')
      .where('reject.id = :id', { id })
      .getOne();
    try {
      return message && Buffer.from(await this.bodies.sealText(message.keyId, reason, { table: 'reject', id }));
    } catch (failure) {
      if (failure instanceof PortolanError && failure.code === 'store.key-destroyed') return null;
      throw failure;
    }
  }
}

const rejectOf = ({ id, messageId, source, format, code, where, at, state }: RejectEntity): Reject => ({
  id,
  messageId,
  source,
  format,
  code,
  where,
  at,
  state,
});

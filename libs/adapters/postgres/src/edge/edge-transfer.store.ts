import type { EdgeTransfer, EdgeTransferStore, TransferId } from '@portolan/domain';
import type { Bodies, Place } from '../bodies/bodies.js';
import type { Plain, Sql } from '../connect/sql.js';
import { EdgeTransferEntity } from './view.entities.js';

const place = (id: string): Place => ({ table: 'edge_transfer', id });

export class PostgresEdgeTransferStore implements EdgeTransferStore {
  constructor(
    private readonly sql: Sql,
    private readonly bodies: Bodies,
  ) {}

  /** Throws `store.conflict` for an id that is there already. */
  async create(transfer: EdgeTransfer): Promise<void> {
    const data = await this.bodies.sealJson(transfer.keyId, transfer.data, place(transfer.transferId));
    await this.sql.laterBy(
      this.sql.builder
        .insert()
        .into(EdgeTransferEntity)
        .values({ ...transfer, data: Buffer.from(data) }),
    );
  }

  async get(id: TransferId): Promise<EdgeTransfer | undefined> {
    const row = await this.sql.manager.findOneBy(EdgeTransferEntity, { transferId: id });
    return row === null ? undefined : this.opened(row);
  }

  async advance(id: TransferId, from: EdgeTransfer['state'], to: EdgeTransfer['state'], data: unknown): Promise<boolean> {
    const row = await this.sql.first<{ state: string; key_id: string; wrapped: Uint8Array | null }>(
      `SELECT t.state, t.key_id, k.wrapped FROM edge_transfer t JOIN data_key k ON k.id = t.key_id
       WHERE t.transfer_id = $1 FOR UPDATE OF t FOR SHARE OF k`,
      [id],
    );
    if (row?.state !== from) return false;
    if (row.wrapped !== null) this.bodies.hold(row.key_id, row.wrapped);
    const sealed = await this.bodies.sealJson(row.key_id, data, place(id));
    await this.sql.later('UPDATE edge_transfer SET state = $2, data = $3 WHERE transfer_id = $1', [id, to, sealed]);
    this.sql.wake('transfers');
    return true;
  }

  /** Newest first. */
  async list(limit: number): Promise<readonly EdgeTransfer[]> {
    const rows = await this.sql.manager.find(EdgeTransferEntity, { order: { createdAt: 'DESC' }, take: limit });
    await this.bodies.load(rows.map(({ keyId }) => keyId));
    const transfers: EdgeTransfer[] = [];
    for (const row of rows) transfers.push(await this.opened(row));
    return transfers;
  }

  async answered(ids: readonly TransferId[]): Promise<readonly TransferId[]> {
    const rows = await this.sql.rows<{ id: TransferId }>(
      `SELECT transfer_id AS id FROM edge_transfer WHERE transfer_id = ANY ($1::uuid[]) AND state <> 'asked'`,
      [[...ids]],
    );
    return rows.map(({ id }) => id);
  }

  private async opened(row: Plain<EdgeTransferEntity>): Promise<EdgeTransfer> {
    const data = await this.bodies.openJson(row.keyId, row.data, place(row.transferId));
    return { ...row, transferId: row.transferId as TransferId, data };
  }
}

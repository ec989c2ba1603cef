import type { CountryCode } from '@portolan/contracts';
import type { ExchangeTransfer, ExchangeTransferStore, TransferId } from '@portolan/domain';
import type { Bodies, Place } from '../bodies/bodies.js';
import type { Sql } from '../connect/sql.js';
import { TransferEntity } from './exchange.entities.js';

type Change = Parameters<ExchangeTransferStore['advance']>[3];
type Data = Record<string, unknown>;

const place = (id: string): Place => ({ table: 'transfer', id });

/** Transfers as the pipeline drives them: claimed with SKIP LOCKED, moved on by compare-and-set under the row's lock. */
export class PostgresTransferStore implements ExchangeTransferStore {
  constructor(
    private readonly sql: Sql,
    private readonly bodies: Bodies,
  ) {}

  async create(transfer: ExchangeTransfer): Promise<boolean> {
    const { transferId, side, kind, partner, state, permitId, person, keyId, data, limit, dueAt, attempts, createdAt } = transfer;
    const sealed = await this.bodies.sealJson(keyId, data, place(transferId));
    const created = await this.sql.affected(
      `INSERT INTO transfer (transfer_id, side, kind, partner, state, permit_id, person, key_id, data, open_until, due_at, attempts, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING`,
      [transferId, side, kind, partner, state, permitId ?? null, person ?? null, keyId, sealed, limit, dueAt, attempts, createdAt],
    );
    if (created === 1) this.sql.wake('transfers');
    return created === 1;
  }

  async get(id: TransferId): Promise<ExchangeTransfer | undefined> {
    const row = await this.sql.manager.findOneBy(TransferEntity, { transferId: id });
    return row === null ? undefined : this.opened(row);
  }

  async take(states: readonly string[], limit: number, leaseMs: number): Promise<readonly ExchangeTransfer[]> {
    const taken = await this.sql.rows<{ transfer_id: string }>(
      `WITH due AS (
         SELECT transfer_id FROM transfer
         WHERE state = ANY ($1::text[]) AND due_at <= clock_timestamp() AND (claimed_until IS NULL OR claimed_until <= clock_timestamp())
         ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED)
       UPDATE transfer SET attempts = attempts + 1, claimed_until = clock_timestamp() + $3 * interval '1 ms'
       FROM due WHERE transfer.transfer_id = due.transfer_id RETURNING transfer.transfer_id`,
      [states, limit, leaseMs],
    );
    const query = this.sql.manager.createQueryBuilder(TransferEntity, 'transfer').whereInIds(taken.map((row) => row.transfer_id));
    return taken.length === 0 ? [] : this.all(await query.orderBy('transfer.dueAt').getMany());
  }

  async advance(id: TransferId, from: string, to: string, change: Change): Promise<boolean> {
    const row = await this.sql.first<{ state: string; key_id: string; data: Uint8Array }>(
      'SELECT state, key_id, data FROM transfer WHERE transfer_id = $1 FOR UPDATE',
      [id],
    );
    if (row?.state !== from) return false;
    const sealed = await this.resealed(id, row, change);
    await this.sql.affected(
      `UPDATE transfer SET state = $2, data = coalesce($3, data), key_id = coalesce($4, key_id), permit_id = coalesce($5, permit_id),
         person = coalesce($6, person), open_until = coalesce($7, open_until), due_at = coalesce($8, due_at),
         attempts = 0, claimed_until = NULL, code = NULL
       WHERE transfer_id = $1`,
      [id, to, sealed, change.keyId ?? null, change.permitId ?? null, change.person ?? null, change.limit ?? null, change.dueAt ?? null],
    );
    this.sql.wake('transfers');
    return true;
  }

  async postpone(id: TransferId, delayMs: number, code: string): Promise<void> {
    await this.sql.affected(
      `UPDATE transfer SET due_at = clock_timestamp() + $2 * interval '1 ms', claimed_until = NULL, code = $3 WHERE transfer_id = $1`,
      [id, delayMs, code],
    );
  }

  async byPermit(permitId: string): Promise<readonly ExchangeTransfer[]> {
    return this.all(await this.sql.manager.find(TransferEntity, { where: { permitId }, order: { createdAt: 'ASC' } }));
  }

  /** Newest first. */
  async list(filter: { state?: string; partner?: CountryCode }, limit: number): Promise<readonly ExchangeTransfer[]> {
    return this.all(await this.sql.manager.find(TransferEntity, { where: filter, order: { createdAt: 'DESC' }, take: limit }));
  }

  /** The merged data under the key that is to protect it; null where neither changes. */
  private async resealed(id: TransferId, row: { key_id: string; data: Uint8Array }, change: Change): Promise<Uint8Array | null> {
    if (change.data === undefined && (change.keyId ?? row.key_id) === row.key_id) return null;
    const before = (await this.bodies.openJson(row.key_id, row.data, place(id))) as Data | undefined;
    return this.bodies.sealJson(change.keyId ?? row.key_id, { ...before, ...change.data }, place(id));
  }

  private async all(rows: readonly TransferEntity[]): Promise<readonly ExchangeTransfer[]> {
    await this.bodies.load(rows.map(({ keyId }) => keyId));
    const transfers: ExchangeTransfer[] = [];
    for (const row of rows) transfers.push(await this.opened(row));
    return transfers;
  }

  private async opened(row: TransferEntity): Promise<ExchangeTransfer> {
    const { transferId, side, kind, partner, state, permitId, person, keyId, data, limit, dueAt, attempts, createdAt } = row;
    return {
      transferId: transferId as TransferId,
      side,
      kind,
      partner,
      state,
      permitId: permitId ?? undefined,
      person: (person ?? undefined) as ExchangeTransfer['person'],
      keyId,
      data: ((await this.bodies.openJson(keyId, data, place(transferId))) ?? {}) as Data,
      limit,
      dueAt,
      attempts,
      createdAt,
    };
  }
}

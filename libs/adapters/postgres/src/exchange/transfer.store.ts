import type { CountryCode } from '@portolan/contracts';
import type { ExchangeTransfer, ExchangeTransferStore, PersonId, TransferId } from '@portolan/domain';
import type { Bodies, Place } from '../bodies/bodies.js';
import type { Sql } from '../connect/sql.js';

type Change = Parameters<ExchangeTransferStore['advance']>[3];
type Data = Record<string, unknown>;

const place = (id: string): Place => ({ table: 'transfer', id });

/** A row as the driver gives it, with the key of its data beside. */
type TransferRow = Pick<ExchangeTransfer, 'transferId' | 'side' | 'kind' | 'partner' | 'state' | 'keyId' | 'attempts'> & {
  readonly permitId: string | null;
  readonly person: PersonId | null;
  readonly data: Uint8Array;
  readonly limit: Date;
  readonly dueAt: Date;
  readonly createdAt: Date;
  readonly wrapped: Uint8Array | null;
};

const COLUMNS = `t.transfer_id AS "transferId", t.side, t.kind, t.partner, t.state, t.permit_id AS "permitId", t.person, t.key_id AS "keyId", t.data,
  t.open_until AS "limit", t.due_at AS "dueAt", t.attempts, t.created_at AS "createdAt"`;
const SELECT = `SELECT ${COLUMNS}, k.wrapped FROM transfer t LEFT JOIN data_key k ON k.id = t.key_id`;

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
    return (await this.all(`${SELECT} WHERE t.transfer_id = $1`, [id]))[0];
  }

  async take(states: readonly string[], limit: number, leaseMs: number): Promise<readonly ExchangeTransfer[]> {
    const taken = await this.all(
      `WITH due AS (
         SELECT transfer_id FROM transfer
         WHERE state = ANY ($1::text[]) AND due_at <= clock_timestamp() AND (claimed_until IS NULL OR claimed_until <= clock_timestamp())
         ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED)
       UPDATE transfer t SET attempts = attempts + 1, claimed_until = clock_timestamp() + $3 * interval '1 ms'
       FROM due WHERE t.transfer_id = due.transfer_id RETURNING ${COLUMNS}, (SELECT k.wrapped FROM data_key k WHERE k.id = t.key_id)`,
      [states, limit, leaseMs],
    );
    return taken.toSorted((a, b) => Date.parse(a.dueAt) - Date.parse(b.dueAt));
  }

  async advance(id: TransferId, from: string, to: string, change: Change): Promise<boolean> {
    const row = await this.sql.first<{ state: string; key_id: string; data: Uint8Array; wrapped: Uint8Array | null }>(
      `SELECT t.state, t.key_id, t.data, k.wrapped FROM transfer t JOIN data_key k ON k.id = t.key_id
       WHERE t.transfer_id = $1 FOR UPDATE OF t FOR SHARE OF k`,
      [id],
    );
    if (row?.state !== from) return false;
    if (row.wrapped !== null) this.bodies.hold(row.key_id, row.wrapped);
    const sealed = await this.resealed(id, row, change);
    await this.sql.later(
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
    await this.sql.later(
      `UPDATE transfer SET due_at = clock_timestamp() + $2 * interval '1 ms', claimed_until = NULL, code = $3 WHERE transfer_id = $1`,
      [id, delayMs, code],
    );
  }

  async byPermit(permitId: string): Promise<readonly ExchangeTransfer[]> {
    return this.all(`${SELECT} WHERE t.permit_id = $1 ORDER BY t.created_at`, [permitId]);
  }

  /** Newest first. */
  async list({ state, partner }: { state?: string; partner?: CountryCode }, limit: number): Promise<readonly ExchangeTransfer[]> {
    const fits = '($1::text IS NULL OR t.state = $1) AND ($2::text IS NULL OR t.partner = $2)';
    return this.all(`${SELECT} WHERE ${fits} ORDER BY t.created_at DESC LIMIT $3`, [state ?? null, partner ?? null, limit]);
  }

  /** The merged data under the key that is to protect it; null where neither changes. */
  private async resealed(id: TransferId, row: { key_id: string; data: Uint8Array }, change: Change): Promise<Uint8Array | null> {
    if (change.data === undefined && (change.keyId ?? row.key_id) === row.key_id) return null;
    const before = (await this.bodies.openJson(row.key_id, row.data, place(id))) as Data | undefined;
    return this.bodies.sealJson(change.keyId ?? row.key_id, { ...before, ...change.data }, place(id));
  }

  private async all(text: string, parameters: readonly unknown[]): Promise<readonly ExchangeTransfer[]> {
    const transfers: ExchangeTransfer[] = [];
    for (const row of await this.sql.rows<TransferRow>(text, parameters)) transfers.push(await this.opened(row));
    return transfers;
  }

  private async opened({ data, wrapped, permitId, person, limit, dueAt, createdAt, ...row }: TransferRow): Promise<ExchangeTransfer> {
    this.bodies.know(row.keyId, wrapped);
    return {
      ...row,
      permitId: permitId ?? undefined,
      person: person ?? undefined,
      data: ((await this.bodies.openJson(row.keyId, data, place(row.transferId))) ?? {}) as Data,
      limit: limit.toISOString(),
      dueAt: dueAt.toISOString(),
      createdAt: createdAt.toISOString(),
    };
  }
}

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

// In one order: two that want some of the same rows wait for each other, and never both. Their keys are locked with them, against erasure.
const HOLD = `SELECT ${COLUMNS}, k.wrapped FROM transfer t JOIN data_key k ON k.id = t.key_id
  WHERE t.transfer_id = ANY ($1::uuid[]) ORDER BY t.transfer_id FOR UPDATE OF t FOR SHARE OF k`;

const ADVANCE = {
  text: `UPDATE transfer t SET state = c.state, data = coalesce(c.data, t.data), key_id = coalesce(c.key_id, t.key_id),
      permit_id = coalesce(c.permit_id, t.permit_id), person = coalesce(c.person, t.person), open_until = coalesce(c.open_until, t.open_until),
      due_at = coalesce(c.due_at, t.due_at), attempts = 0, claimed_until = NULL, code = NULL
    FROM unnest($1::uuid[], $2::text[], $3::bytea[], $4::uuid[], $5::uuid[], $6::uuid[], $7::timestamptz[], $8::timestamptz[])
      AS c (transfer_id, state, data, key_id, permit_id, person, open_until, due_at)
    WHERE t.transfer_id = c.transfer_id`,
};

/** Transfers as the pipeline drives them: claimed with SKIP LOCKED, moved on by compare-and-set under the row's lock. */
export class PostgresTransferStore implements ExchangeTransferStore {
  /** Rows that this transaction has locked and not written. */
  private readonly held = new Map<TransferId, TransferRow>();

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
    const held = this.held.get(id);
    return held === undefined ? (await this.all(`${SELECT} WHERE t.transfer_id = $1`, [id]))[0] : this.opened(held);
  }

  async hold(ids: readonly TransferId[]): Promise<void> {
    for (const row of await this.sql.rows<TransferRow>(HOLD, [[...ids]])) {
      this.held.set(row.transferId, row);
      if (row.wrapped !== null) this.bodies.hold(row.keyId, row.wrapped);
    }
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
    if (!this.held.has(id)) await this.hold([id]);
    const row = this.held.get(id);
    if (row?.state !== from) return false;
    const sealed = await this.resealed(id, row, change);
    const { keyId = null, permitId = null, person = null, limit = null, dueAt = null } = change;
    await this.sql.laterRow(ADVANCE, [id, to, sealed, keyId, permitId, person, limit, dueAt], id);
    // What is asked of it from here on is asked of the row as it was written.
    this.held.delete(id);
    this.sql.wake('transfers');
    return true;
  }

  async postpone(id: TransferId, delayMs: number, code: string): Promise<void> {
    this.held.delete(id);
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
  private async resealed(id: TransferId, { keyId, data }: TransferRow, change: Change): Promise<Uint8Array | null> {
    if (change.data === undefined && (change.keyId ?? keyId) === keyId) return null;
    const before = (await this.bodies.openJson(keyId, data, place(id))) as Data | undefined;
    return this.bodies.sealJson(change.keyId ?? keyId, { ...before, ...change.data }, place(id));
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

import { PortolanError, type Uuid } from '@portolan/contracts';
import type { OutboxMessage, OutboxStore, Role, UnitOfWork, RoleTx } from '@portolan/domain';
import type { Bodies } from '../bodies/bodies.js';
import { fence } from '../connect/leases.js';
import type { Sql } from '../connect/sql.js';
import { OutboxEntity } from './role.entities.js';

type Taken = Awaited<ReturnType<OutboxStore['take']>>;
type Dead = Awaited<ReturnType<OutboxStore['dead']>>;

// In one order: two that share some keys wait for each other, and never both.
const LOCK = {
  text: `SELECT pg_advisory_xact_lock(n) FROM (SELECT DISTINCT hashtextextended(name, 0) AS n FROM unnest($1::text[]) AS name ORDER BY n) AS locked`,
};

const ADD = {
  text: `INSERT INTO outbox (id, recipient, type, key, key_id, body, next_at)
    SELECT id, recipient, type, key, key_id, body, clock_timestamp()
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::bytea[])
      WITH ORDINALITY AS o (id, recipient, type, key, key_id, body, place) ORDER BY place`,
};

export class PostgresOutboxStore implements OutboxStore {
  constructor(
    private readonly sql: Sql,
    private readonly sealer: Bodies,
    private readonly maxRefusals: number,
  ) {}

  async add({ id, to, type, key, keyId, body }: OutboxMessage): Promise<void> {
    const sealed = await this.sealer.sealJson(keyId, body, { table: 'outbox', id });
    // Numbers are drawn before commits: without this, of two transactions on one key the later number could be seen first.
    await this.sql.laterRow(LOCK, [`outbox ${to} ${key}`]);
    await this.sql.laterRow(ADD, [id, to, type, key, keyId, sealed]);
    this.sql.wake('outbox');
  }

  async body(id: Uuid, asker: Role): Promise<unknown> {
    const row = await this.sql.first<{ recipient: Role; key: Uuid; body: Uint8Array; wrapped: Uint8Array | null }>(
      'SELECT o.recipient, o.key_id AS key, o.body, k.wrapped FROM outbox o LEFT JOIN data_key k ON k.id = o.key_id WHERE o.id = $1',
      [id],
    );
    if (row === undefined) return undefined;
    if (row.recipient !== asker) throw new PortolanError('store.not-for-you', `outbox message ${id}`);
    this.sealer.know(row.key, row.wrapped);
    return this.sealer.openJson(row.key, row.body, { table: 'outbox', id });
  }

  async bodies(ids: readonly Uuid[], asker: Role): Promise<ReadonlyMap<Uuid, unknown>> {
    const rows = await this.sql.rows<{ id: Uuid; key: Uuid; body: Uint8Array; wrapped: Uint8Array | null }>(
      `SELECT o.id, o.key_id AS key, o.body, k.wrapped FROM outbox o LEFT JOIN data_key k ON k.id = o.key_id
       WHERE o.id = ANY ($1::uuid[]) AND o.recipient = $2`,
      [ids, asker],
    );
    const bodies = new Map<Uuid, unknown>();
    for (const { id, key, body, wrapped } of rows) {
      this.sealer.know(key, wrapped);
      const opened = await this.sealer.openJson(key, body, { table: 'outbox', id });
      if (opened !== undefined) bodies.set(id, opened);
    }
    return bodies;
  }

  /** A row is the oldest of its recipient and key, or it waits; whoever locked it first has it. */
  async take(limit: number, leaseMs: number): Promise<Taken> {
    const taken = await this.sql.rows<{ id: Uuid; recipient: Role; type: string; attempts: number; seq: string }>(
      `WITH due AS (
         SELECT o.seq FROM outbox o
         WHERE o.state = 'waiting' AND o.next_at <= clock_timestamp() AND NOT EXISTS (
           SELECT FROM outbox p WHERE p.recipient = o.recipient AND p.key = o.key AND p.state = 'waiting' AND p.seq < o.seq)
         ORDER BY o.seq LIMIT $1 FOR UPDATE SKIP LOCKED)
       UPDATE outbox SET attempts = attempts + 1, next_at = clock_timestamp() + $2 * interval '1 ms'
       FROM due WHERE outbox.seq = due.seq RETURNING outbox.seq, id, recipient, type, attempts`,
      [limit, leaseMs],
    );
    return [...taken]
      .sort((a, b) => Number(a.seq) - Number(b.seq))
      .map(({ id, recipient, type, attempts }) => ({ id, to: recipient, type, attempts }));
  }

  async delivered(...ids: readonly Uuid[]): Promise<void> {
    await this.sql.later(`UPDATE outbox SET state = 'delivered', delivered_at = now() WHERE id = ANY ($1::uuid[])`, [ids]);
    // The next of their keys may go now.
    this.sql.wake('outbox');
  }

  async failed(id: Uuid, delayMs: number, code: string, refused: boolean): Promise<void> {
    await this.sql.later(
      `UPDATE outbox SET code = $3, next_at = clock_timestamp() + $2 * interval '1 ms', refusals = refusals + $4,
         state = CASE WHEN refusals + $4 >= $5 THEN 'dead' ELSE state END
       WHERE id = $1 AND state = 'waiting'`,
      [id, delayMs, code, refused ? 1 : 0, this.maxRefusals],
    );
  }

  async dead(limit: number): Promise<Dead> {
    const rows = await this.sql.manager.find(OutboxEntity, { where: { state: 'dead' }, order: { seq: 'ASC' }, take: limit });
    return rows.map(({ id, recipient, type, code }) => ({ id, to: recipient as Role, type, code: code ?? '' }));
  }

  async revive(id: Uuid): Promise<boolean> {
    const revived = await this.sql.affected(
      `UPDATE outbox SET state = 'waiting', attempts = 0, refusals = 0, next_at = clock_timestamp() WHERE id = $1 AND state = 'dead'`,
      [id],
    );
    this.sql.wake('outbox');
    return revived === 1;
  }

  async undelivered(ids: readonly Uuid[], asker: Role): Promise<readonly Uuid[]> {
    const rows = await this.sql.rows<{ id: Uuid }>(
      `SELECT id FROM outbox WHERE id = ANY ($1::uuid[]) AND recipient = $2 AND state <> 'delivered'`,
      [[...ids], asker],
    );
    return rows.map(({ id }) => id);
  }

  async purge(olderThanMs: number, limit: number, fencing: number): Promise<number> {
    await fence(this.sql, 'retention', fencing);
    return this.sql.affected(
      `DELETE FROM outbox WHERE seq = ANY (ARRAY(
         SELECT seq FROM outbox WHERE state = 'delivered' AND delivered_at < now() - $1 * interval '1 ms' ORDER BY delivered_at LIMIT $2))`,
      [olderThanMs, limit],
    );
  }
}

/** The outbox for its relay and for those who fetch bodies: each call is a transaction of its own. */
export class OutboxDoor<Tx extends RoleTx> implements OutboxStore {
  constructor(private readonly uow: UnitOfWork<Tx>) {}

  readonly add = async (message: OutboxMessage): Promise<void> => this.uow.run(({ outbox }) => outbox.add(message));
  readonly body = async (id: Uuid, asker: Role): Promise<unknown> => this.uow.alone(({ outbox }) => outbox.body(id, asker));
  readonly bodies = async (ids: readonly Uuid[], asker: Role): Promise<ReadonlyMap<Uuid, unknown>> =>
    this.uow.alone(({ outbox }) => outbox.bodies(ids, asker));
  readonly take = async (limit: number, leaseMs: number): Promise<Taken> => this.uow.alone(({ outbox }) => outbox.take(limit, leaseMs));
  readonly delivered = async (...ids: readonly Uuid[]): Promise<void> => this.uow.alone(({ outbox }) => outbox.delivered(...ids));
  readonly failed = async (id: Uuid, delayMs: number, code: string, refused: boolean): Promise<void> =>
    this.uow.run(({ outbox }) => outbox.failed(id, delayMs, code, refused));
  readonly dead = async (limit: number): Promise<Dead> => this.uow.run(({ outbox }) => outbox.dead(limit));
  readonly revive = async (id: Uuid): Promise<boolean> => this.uow.run(({ outbox }) => outbox.revive(id));
  readonly undelivered = async (ids: readonly Uuid[], asker: Role): Promise<readonly Uuid[]> =>
    this.uow.run(({ outbox }) => outbox.undelivered(ids, asker));
  readonly purge = async (olderThanMs: number, limit: number, fencing: number): Promise<number> =>
    this.uow.run(({ outbox }) => outbox.purge(olderThanMs, limit, fencing));
}

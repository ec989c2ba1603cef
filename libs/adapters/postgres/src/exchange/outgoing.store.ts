import type { OutgoingEnvelope, OutgoingFailure, OutgoingShare, OutgoingStore } from '@portolan/domain';
import { bytesOf } from '../bodies/bytes.js';
import { fence } from '../connect/leases.js';
import type { Sql } from '../connect/sql.js';
import { OutgoingEntity } from './exchange.entities.js';

interface TakenRow extends Omit<OutgoingEnvelope, 'notBefore' | 'until'> {
  readonly seq: string;
  readonly attempts: number;
  readonly due: Date;
}

/** Sealed parts on their way to partners, kept after they were sent: the sender resends until a final step stands. */
export class PostgresOutgoingStore implements OutgoingStore {
  constructor(
    private readonly sql: Sql,
    private readonly maxRefusals: number,
  ) {}

  async add({ id, to, key, body, notBefore, until }: OutgoingEnvelope): Promise<void> {
    await this.sql.later('INSERT INTO outgoing (id, recipient, key, body, next_at, until) VALUES ($1, $2, $3, $4, $5, $6)', [
      id,
      to,
      key,
      body,
      notBefore,
      until ?? null,
    ]);
    this.sql.wake('outgoing');
  }

  /**
   * The oldest waiting part of each recipient and key; one that may not leave yet holds those behind it. Looked for in the order of the queue, by
   * `outgoing_waiting`, so that a long queue is not read whole for its first hundred. What was locked and goes beyond `bytes` is let go of at once. `+ 0`: those before are
   * looked for by their key (`outgoing_order`), and never by reading all that wait before.
   */
  async take({ envelopes, bytes, except }: OutgoingShare, leaseMs: number): Promise<readonly (OutgoingEnvelope & { attempts: number })[]> {
    await this.lapse();
    const taken = await this.sql.rows<TakenRow>(
      `WITH due AS (
         SELECT o.seq, o.next_at, octet_length(o.body) AS bytes FROM outgoing o
         WHERE o.state = 'waiting' AND o.next_at <= clock_timestamp() AND o.recipient <> ALL ($4::text[]) AND NOT EXISTS (
           SELECT FROM outgoing p WHERE p.recipient = o.recipient AND p.key = o.key AND p.state = 'waiting' AND p.seq + 0 < o.seq)
         ORDER BY o.seq LIMIT $1 FOR UPDATE SKIP LOCKED),
       fitting AS (SELECT seq, next_at, sum(bytes) OVER (ORDER BY seq) - bytes AS before FROM due)
       UPDATE outgoing SET attempts = attempts + 1, next_at = clock_timestamp() + $2 * interval '1 ms'
       FROM fitting WHERE outgoing.seq = fitting.seq AND ($3::bigint IS NULL OR fitting.before < $3)
       RETURNING outgoing.seq, id, recipient AS "to", key, body, attempts, fitting.next_at AS due`,
      [envelopes, leaseMs, bytes ?? null, except ?? []],
    );
    return [...taken]
      .sort((a, b) => Number(a.seq) - Number(b.seq))
      .map(({ id, to, key, body, attempts, due }) => ({ id, to, key, body: bytesOf(body), attempts, notBefore: due.toISOString() }));
  }

  async sent(ids: readonly string[]): Promise<void> {
    await this.sql.later(`UPDATE outgoing SET state = 'sent', code = NULL, ended_at = now() WHERE id = ANY ($1::text[])`, [[...ids]]);
    // The next of their keys may leave now.
    this.sql.wake('outgoing');
  }

  async failed(failures: readonly OutgoingFailure[]): Promise<void> {
    await this.sql.later(
      `UPDATE outgoing SET next_at = clock_timestamp() + f.delay * interval '1 ms', code = f.code, refusals = refusals + f.refused,
         state = CASE WHEN refusals + f.refused >= $5 THEN 'dead' ELSE state END
       FROM unnest($1::text[], $2::integer[], $3::text[], $4::integer[]) AS f (id, delay, code, refused)
       WHERE outgoing.id = f.id AND state = 'waiting'`,
      [
        failures.map(({ id }) => id),
        failures.map(({ delayMs }) => delayMs),
        failures.map(({ code }) => code),
        failures.map(({ refused }) => (refused ? 1 : 0)),
        this.maxRefusals,
      ],
    );
  }

  async dead(limit: number): ReturnType<OutgoingStore['dead']> {
    const rows = await this.sql.manager.find(OutgoingEntity, { where: { state: 'dead' }, order: { seq: 'ASC' }, take: limit });
    return rows.map(({ id, to, code }) => ({ id, to, code: code ?? '' }));
  }

  async revive(id: string): Promise<boolean> {
    const revived = await this.sql.affected(
      `UPDATE outgoing SET state = 'waiting', attempts = 0, refusals = 0, next_at = clock_timestamp() WHERE id = $1 AND state = 'dead'`,
      [id],
    );
    this.sql.wake('outgoing');
    return revived === 1;
  }

  /** What may still be asked for again is kept: nothing goes before its own time has passed. */
  async purge(olderThanMs: number, limit: number, fencing: number): Promise<number> {
    await fence(this.sql, 'retention', fencing);
    return this.sql.affected(
      `DELETE FROM outgoing WHERE seq = ANY (ARRAY(
         SELECT seq FROM outgoing WHERE state IN ('sent', 'lapsed') AND ended_at < now() - $1 * interval '1 ms' AND (until IS NULL OR until < now())
         ORDER BY ended_at LIMIT $2))`,
      [olderThanMs, limit],
    );
  }

  /**
   * What has waited beyond the time in which it was of use: its transfer ends by other means, and its bytes go. In the same statement this
   * transaction is kept from reading and sorting all that waits, which PostgreSQL thinks cheap where it has seen the table empty last.
   */
  private async lapse(): Promise<void> {
    await this.sql.rows(
      `WITH lapsed AS (
         UPDATE outgoing SET state = 'lapsed', body = '', ended_at = now() WHERE seq = ANY (ARRAY(
           SELECT seq FROM outgoing WHERE state = 'waiting' AND until <= now() ORDER BY until LIMIT 500 FOR UPDATE SKIP LOCKED)))
       SELECT set_config('enable_bitmapscan', 'off', true), set_config('enable_sort', 'off', true)`,
    );
  }

  async resend(key: string): Promise<void> {
    await this.sql.later(
      `UPDATE outgoing SET state = 'waiting', attempts = 0, next_at = clock_timestamp() WHERE key = $1 AND state = 'sent'`,
      [key],
    );
    this.sql.wake('outgoing');
  }
}

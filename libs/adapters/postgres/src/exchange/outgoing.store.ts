import type { OutgoingEnvelope, OutgoingStore } from '@portolan/domain';
import { bytesOf } from '../bodies/bytes.js';
import type { Sql } from '../connect/sql.js';

interface TakenRow extends Omit<OutgoingEnvelope, 'notBefore'> {
  readonly seq: string;
  readonly attempts: number;
  readonly due: Date;
}

/** Sealed parts on their way to partners, kept after they were sent: the sender resends until a final step stands. */
export class PostgresOutgoingStore implements OutgoingStore {
  constructor(private readonly sql: Sql) {}

  async add({ id, to, key, body, notBefore }: OutgoingEnvelope): Promise<void> {
    await this.sql.affected('INSERT INTO outgoing (id, recipient, key, body, next_at) VALUES ($1, $2, $3, $4, $5)', [
      id,
      to,
      key,
      body,
      notBefore,
    ]);
    this.sql.wake('outgoing');
  }

  /** The oldest waiting part of each recipient and key; one that may not leave yet holds those behind it. */
  async take(limit: number, leaseMs: number): Promise<readonly (OutgoingEnvelope & { attempts: number })[]> {
    const taken = await this.sql.rows<TakenRow>(
      `WITH due AS (
         SELECT o.seq, o.next_at FROM outgoing o
         WHERE o.state = 'waiting' AND o.next_at <= clock_timestamp() AND NOT EXISTS (
           SELECT FROM outgoing p WHERE p.recipient = o.recipient AND p.key = o.key AND p.state = 'waiting' AND p.seq < o.seq)
         ORDER BY o.seq LIMIT $1 FOR UPDATE SKIP LOCKED)
       UPDATE outgoing SET attempts = attempts + 1, next_at = clock_timestamp() + $2 * interval '1 ms'
       FROM due WHERE outgoing.seq = due.seq
       RETURNING outgoing.seq, id, recipient AS "to", key, body, attempts, due.next_at AS due`,
      [limit, leaseMs],
    );
    return [...taken]
      .sort((a, b) => Number(a.seq) - Number(b.seq))
      .map(({ id, to, key, body, attempts, due }) => ({ id, to, key, body: bytesOf(body), attempts, notBefore: due.toISOString() }));
  }

  async sent(id: string): Promise<void> {
    await this.sql.affected(`UPDATE outgoing SET state = 'sent', code = NULL WHERE id = $1`, [id]);
    // The next of its key may leave now.
    this.sql.wake('outgoing');
  }

  async failed(id: string, delayMs: number, code: string): Promise<void> {
    await this.sql.affected(
      `UPDATE outgoing SET next_at = clock_timestamp() + $2 * interval '1 ms', code = $3 WHERE id = $1 AND state = 'waiting'`,
      [id, delayMs, code],
    );
  }

  async resend(key: string): Promise<void> {
    await this.sql.affected(
      `UPDATE outgoing SET state = 'waiting', attempts = 0, next_at = clock_timestamp() WHERE key = $1 AND state = 'sent'`,
      [key],
    );
    this.sql.wake('outgoing');
  }
}

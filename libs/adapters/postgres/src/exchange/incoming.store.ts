import type { CountryCode } from '@portolan/contracts';
import type { IncomingEnvelope, IncomingStore } from '@portolan/domain';
import { bytesOf } from '../bodies/bytes.js';
import { fence } from '../connect/leases.js';
import type { Sql } from '../connect/sql.js';
import { IncomingEntity } from './exchange.entities.js';

type DeadLetter = Awaited<ReturnType<IncomingStore['deadLetters']>>[number];

const DONE = { text: `UPDATE incoming SET state = 'done', body = '', code = NULL, done_at = now() WHERE seq = ANY ($1::bigint[])` };

/** The inbox tables of all partners. A finished message keeps its id, by which it is known again, and loses its bytes. */
export class PostgresIncomingStore implements IncomingStore {
  constructor(private readonly sql: Sql) {}

  async append(from: CountryCode, { id, key, body }: { id: string; key: string; body: Uint8Array }): Promise<boolean> {
    const fresh = await this.sql.affected(
      `INSERT INTO incoming (sender, id, key, body, received_at, next_at)
       VALUES ($1, $2, $3, $4, clock_timestamp(), clock_timestamp()) ON CONFLICT DO NOTHING`,
      [from, id, key, body],
    );
    if (fresh === 1) this.sql.wake('incoming');
    return fresh === 1;
  }

  /** The oldest waiting message of each partner and key, so that one transfer's parts are met in order. */
  async take(limit: number, leaseMs: number): Promise<readonly (IncomingEnvelope & { attempts: number })[]> {
    const taken = await this.sql.rows<IncomingEnvelope & { attempts: number }>(
      `WITH due AS (
         SELECT o.seq FROM incoming o
         WHERE o.state = 'waiting' AND o.next_at <= clock_timestamp() AND NOT EXISTS (
           SELECT FROM incoming p WHERE p.sender = o.sender AND p.key = o.key AND p.state = 'waiting' AND p.seq < o.seq)
         ORDER BY o.seq LIMIT $1 FOR UPDATE SKIP LOCKED)
       UPDATE incoming SET attempts = attempts + 1, next_at = clock_timestamp() + $2 * interval '1 ms'
       FROM due WHERE incoming.seq = due.seq RETURNING incoming.seq, sender AS "from", id, key, body, attempts`,
      [limit, leaseMs],
    );
    return [...taken].sort((a, b) => Number(a.seq) - Number(b.seq)).map((message) => ({ ...message, body: bytesOf(message.body) }));
  }

  async done(seq: string): Promise<void> {
    await this.sql.laterRow(DONE, [seq]);
    // The next of its key may be taken now.
    this.sql.wake('incoming');
  }

  async retry(seq: string, delayMs: number, code: string): Promise<void> {
    await this.sql.later(
      `UPDATE incoming SET next_at = clock_timestamp() + $2 * interval '1 ms', code = $3 WHERE seq = $1 AND state = 'waiting'`,
      [seq, delayMs, code],
    );
  }

  async dead(seq: string, code: string): Promise<void> {
    await this.sql.later(`UPDATE incoming SET state = 'dead', code = $2 WHERE seq = $1 AND state = 'waiting'`, [seq, code]);
    this.sql.wake('incoming');
  }

  async deadLetters(limit: number): Promise<readonly DeadLetter[]> {
    const rows = await this.sql.manager.find(IncomingEntity, { where: { state: 'dead' }, order: { seq: 'ASC' }, take: limit });
    return rows.map(({ seq, from, id, code, receivedAt }) => ({ seq, from, id, code: code ?? '', at: receivedAt }));
  }

  async revive(seq: string): Promise<boolean> {
    const revived = await this.sql.affected(
      `UPDATE incoming SET state = 'waiting', attempts = 0, next_at = clock_timestamp() WHERE seq = $1 AND state = 'dead'`,
      [seq],
    );
    this.sql.wake('incoming');
    return revived === 1;
  }

  async purge(olderThanMs: number, limit: number, fencing: number): Promise<number> {
    await fence(this.sql, 'retention', fencing);
    return this.sql.affected(
      `DELETE FROM incoming WHERE seq = ANY (ARRAY(
         SELECT seq FROM incoming WHERE state = 'done' AND done_at < now() - $1 * interval '1 ms' ORDER BY done_at LIMIT $2))`,
      [olderThanMs, limit],
    );
  }
}

import type { StatementMark, StatementStore } from '@portolan/domain';
import type { Sql } from '../connect/sql.js';

/** Rows that one note lets go of at most: more than it adds, so that what has ended never piles up. */
const LET_GO = 20;
/** The node's clock and the database's may be so far apart, minutes, and no statement is let go of too early. */
const MARGIN_MINUTES = 10;

/** Client and jti go in as their SHA-256: they are texts of other systems, of any content. */
export class PostgresStatementStore implements StatementStore {
  constructor(private readonly sql: Sql) {}

  /** Waits for another transaction that notes the same statement: it is the first, or its undoing lets us be. */
  async first({ id, until }: StatementMark): Promise<boolean> {
    await this.sql.later(
      `DELETE FROM used_statement WHERE id = ANY (ARRAY(
         SELECT id FROM used_statement WHERE until < clock_timestamp() - $1 * interval '1 minute'
         ORDER BY until LIMIT $2 FOR UPDATE SKIP LOCKED))`,
      [MARGIN_MINUTES, LET_GO],
    );
    const noted = 'INSERT INTO used_statement (id, until) VALUES (sha256($1), $2) ON CONFLICT DO NOTHING';
    return (await this.sql.affected(noted, [Buffer.from(id, 'utf8'), until])) === 1;
  }
}

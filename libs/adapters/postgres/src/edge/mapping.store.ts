import type { Instant, Uuid } from '@portolan/contracts';
import type { MappingAnswer, MappingStore, OpenQuestion, SeenQuestion } from '@portolan/domain';
import { storable, type Sql } from '../connect/sql.js';

/** Questions that are kept, answered ones among them: what comes beyond is told in its message's account alone. */
export const MAX_QUESTIONS = 10_000;
/** Messages that are translated again for one answer. */
export const MAX_MESSAGES = 1_000;

interface QuestionRow extends Omit<OpenQuestion, 'system' | 'seen'> {
  readonly system: string;
  readonly seen: string;
}

export class PostgresMappingStore implements MappingStore {
  constructor(private readonly sql: Sql) {}

  async ask(questions: readonly SeenQuestion[], message: Uuid, at: Instant): Promise<void> {
    for (const { map, system, code, rule } of inOneOrder(questions)) {
      const key = [map, system, code];
      await this.sql.later(
        `INSERT INTO mapping_question (map, system, code, rule, seen, first_seen, last_seen)
         SELECT $1::text, $2::text, $3::text, $4, 1, $5, $5
         WHERE EXISTS (SELECT FROM mapping_question q WHERE q.map = $1 AND q.system = $2 AND q.code = $3)
            OR (SELECT count(*) FROM mapping_question) < ${MAX_QUESTIONS}
         ON CONFLICT (map, system, code)
         DO UPDATE SET seen = mapping_question.seen + 1, last_seen = greatest(mapping_question.last_seen, excluded.last_seen)`,
        [...key, rule, at],
      );
      await this.sql.later(
        `INSERT INTO mapping_question_message (map, system, code, message_id)
         SELECT q.map, q.system, q.code, $4::uuid FROM mapping_question q
         WHERE q.map = $1 AND q.system = $2 AND q.code = $3
           AND (SELECT count(*) FROM mapping_question_message m WHERE m.map = $1 AND m.system = $2 AND m.code = $3) < ${MAX_MESSAGES}
         ON CONFLICT DO NOTHING`,
        [...key, message],
      );
    }
  }

  async open(limit: number): Promise<readonly OpenQuestion[]> {
    const rows = await this.sql.rows<QuestionRow>(
      `SELECT map, system, code, rule, seen, ${time('first_seen')} AS "firstSeen", ${time('last_seen')} AS "lastSeen" FROM mapping_question
       WHERE answered_at IS NULL ORDER BY first_seen, map, system, code LIMIT $1`,
      [limit],
    );
    return rows.map(({ system, seen, ...row }) => ({ ...row, seen: Number(seen), ...(system !== '' && { system }) }));
  }

  async answer({ map, system = '', code, target }: MappingAnswer, at: Instant): Promise<boolean> {
    // One answer after the other, each later than the last: who has seen an instant has seen all answers until then.
    await this.sql.later(`SELECT pg_advisory_xact_lock(hashtext('mapping_question'))`);
    const changed = await this.sql.affected(
      `UPDATE mapping_question
       SET answer = $4, answered_at = greatest($5::timestamptz, (SELECT max(answered_at) + interval '1 ms' FROM mapping_question))
       WHERE map = $1 AND system = $2 AND code = $3`,
      [map, system, code, JSON.stringify(target), at],
    );
    return changed === 1;
  }

  async answeredAt(): Promise<Instant | undefined> {
    const row = await this.sql.first<{ at: Instant | null }>(
      `SELECT ${time('max(answered_at)')} AS at FROM mapping_question WHERE answered_at IS NOT NULL`,
    );
    return row?.at ?? undefined;
  }

  async answers(): Promise<readonly MappingAnswer[]> {
    const rows = await this.sql.rows<{ map: string; system: string; code: string; answer: string }>(
      'SELECT map, system, code, answer FROM mapping_question WHERE answered_at IS NOT NULL ORDER BY map, system, code',
    );
    return rows.map(({ map, system, code, answer }) => ({
      map,
      ...(system !== '' && { system }),
      code,
      target: JSON.parse(answer) as MappingAnswer['target'],
    }));
  }

  async waiting(limit: number): Promise<readonly Uuid[]> {
    const rows = await this.sql.rows<{ id: Uuid }>(
      `SELECT DISTINCT m.message_id AS id FROM mapping_question_message m JOIN mapping_question q USING (map, system, code)
       WHERE q.answered_at IS NOT NULL ORDER BY 1 LIMIT $1`,
      [limit],
    );
    return rows.map(({ id }) => id);
  }

  async served(message: Uuid, answeredAt: Instant): Promise<void> {
    await this.sql.later(
      `DELETE FROM mapping_question_message m USING mapping_question q
       WHERE m.message_id = $1 AND q.map = m.map AND q.system = m.system AND q.code = m.code AND q.answered_at <= $2`,
      [message, answeredAt],
    );
  }
}

/** ISO 8601 in UTC with milliseconds, as the house writes instants. */
const time = (column: string): string => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** Each once, and in one order, so that two messages that ask the same never wait for each other in a circle. */
function inOneOrder(questions: readonly SeenQuestion[]): (SeenQuestion & { readonly system: string })[] {
  const byKey = new Map<string, SeenQuestion & { readonly system: string }>();
  for (const { map, system = '', code, rule } of questions) {
    const one = { map, system: storable(system), code: storable(code), rule };
    byKey.set(JSON.stringify([one.map, one.system, one.code]), one);
  }
  return [...byKey].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}

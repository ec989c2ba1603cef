import type { Uuid } from '@portolan/contracts';
import type { ActRow, ActStore } from '@portolan/domain';
import type { Sql } from '../connect/sql.js';
import { ActEntity } from './notary.entities.js';

const SETTLE = {
  text: `UPDATE act SET state = s.state, code = s.code FROM unnest($1::uuid[], $2::text[], $3::text[]) AS s (id, state, code) WHERE act.id = s.id`,
};

/** `args` is kept as JSON text: jsonb would reorder it. */
export class PostgresActStore implements ActStore {
  constructor(private readonly sql: Sql) {}

  async add(id: Uuid, fn: string, args: unknown): Promise<void> {
    await this.sql.later('INSERT INTO act (id, fn, args, next_at) VALUES ($1, $2, $3, clock_timestamp()) ON CONFLICT (id) DO NOTHING', [
      id,
      fn,
      JSON.stringify(args ?? null),
    ]);
    this.sql.wake('acts');
  }

  async take(limit: number, leaseMs: number): Promise<readonly ActRow[]> {
    const taken = await this.sql.rows<{ id: Uuid }>(
      `WITH due AS (
         SELECT seq FROM act WHERE state IN ('pending', 'submitted') AND next_at <= clock_timestamp()
         ORDER BY seq LIMIT $1 FOR UPDATE SKIP LOCKED)
       UPDATE act SET attempts = attempts + 1, next_at = clock_timestamp() + $2 * interval '1 ms'
       FROM due WHERE act.seq = due.seq RETURNING id`,
      [limit, leaseMs],
    );
    if (taken.length === 0) return [];
    const query = this.sql.manager.createQueryBuilder(ActEntity, 'act').where('act.id IN (:...ids)', { ids: taken.map(({ id }) => id) });
    return (await query.orderBy('act.seq').getMany()).map(actRow);
  }

  async bundle(ids: readonly Uuid[], bundle: Uuid): Promise<void> {
    await this.sql.later(
      `UPDATE act SET bundle = $2 WHERE id = ANY ($1::uuid[]) AND bundle IS NULL AND attempts <= 1 AND state = 'pending'`,
      [[...ids], bundle],
    );
  }

  async ofBundle(bundle: Uuid): Promise<readonly ActRow[]> {
    return (await this.sql.manager.find(ActEntity, { where: { bundle }, order: { seq: 'ASC' } })).map(actRow);
  }

  async separate(bundle: Uuid): Promise<void> {
    await this.sql.later(
      `UPDATE act SET bundle = NULL, next_at = clock_timestamp() WHERE bundle = $1 AND state IN ('pending', 'submitted')`,
      [bundle],
    );
    this.sql.wake('acts');
  }

  async submitted(id: Uuid): Promise<void> {
    await this.sql.later(`UPDATE act SET state = 'submitted' WHERE id = $1 AND state = 'pending'`, [id]);
  }

  async settle(id: Uuid, state: 'committed' | 'invalid', code?: string): Promise<void> {
    await this.sql.laterRow(SETTLE, [id, state, code ?? null], id);
  }

  async postpone(id: Uuid, delayMs: number, code: string): Promise<void> {
    await this.sql.later(`UPDATE act SET next_at = clock_timestamp() + $2 * interval '1 ms', code = $3 WHERE id = $1`, [id, delayMs, code]);
  }

  async get(id: Uuid): Promise<ActRow | undefined> {
    const row = await this.sql.manager.findOneBy(ActEntity, { id });
    return row === null ? undefined : actRow(row);
  }
}

const actRow = ({ id, fn, args, state, code, attempts, bundle }: ActEntity): ActRow => ({
  id,
  fn,
  args: JSON.parse(args) as unknown,
  state,
  code: code ?? undefined,
  attempts,
  ...(bundle === null ? {} : { bundle }),
});

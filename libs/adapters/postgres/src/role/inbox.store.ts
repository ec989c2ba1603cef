import type { Uuid } from '@portolan/contracts';
import type { InboxStore, NotedId } from '@portolan/domain';
import { fence } from '../connect/leases.js';
import type { Sql } from '../connect/sql.js';

export class PostgresInboxStore implements InboxStore {
  constructor(private readonly sql: Sql) {}

  /** Waits for another transaction that notes the same id: it is the first, or its undoing lets us be. */
  async first(id: Uuid): Promise<boolean> {
    return (await this.sql.affected('INSERT INTO inbox (id, at) VALUES ($1, now()) ON CONFLICT DO NOTHING', [id])) === 1;
  }

  /** Noted in one order by whoever notes several: two who share some wait for each other, and never both. */
  async firstOf(ids: readonly Uuid[]): Promise<ReadonlySet<Uuid>> {
    const rows = await this.sql.rows<{ id: Uuid }>(
      'INSERT INTO inbox (id, at) SELECT id, now() FROM unnest($1::uuid[]) AS told (id) ORDER BY id ON CONFLICT DO NOTHING RETURNING id',
      [[...new Set(ids)]],
    );
    return new Set(rows.map(({ id }) => id));
  }

  async old(olderThanMs: number, limit: number, after?: NotedId): Promise<readonly NotedId[]> {
    const rows = await this.sql.rows<{ id: Uuid; at: Date }>(
      `SELECT id, at FROM inbox WHERE at < now() - $1 * interval '1 ms' AND (at, id) > ($3::timestamptz, $4::uuid) ORDER BY at, id LIMIT $2`,
      [olderThanMs, limit, after?.at ?? '-infinity', after?.id ?? '00000000-0000-0000-0000-000000000000'],
    );
    return rows.map(({ id, at }) => ({ id, at: at.toISOString() }));
  }

  async forget(ids: readonly Uuid[], fencing: number): Promise<void> {
    await fence(this.sql, 'retention', fencing);
    await this.sql.later('DELETE FROM inbox WHERE id = ANY ($1::uuid[])', [[...ids]]);
  }
}

import type { Uuid } from '@portolan/contracts';
import type { InboxStore } from '@portolan/domain';
import type { Sql } from '../connect/sql.js';

export class PostgresInboxStore implements InboxStore {
  constructor(private readonly sql: Sql) {}

  /** Waits for another transaction that notes the same id: it is the first, or its undoing lets us be. */
  async first(id: Uuid): Promise<boolean> {
    return (await this.sql.affected('INSERT INTO inbox (id, at) VALUES ($1, now()) ON CONFLICT DO NOTHING', [id])) === 1;
  }
}

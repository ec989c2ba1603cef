import { PortolanError, type Uuid } from '@portolan/contracts';
import type { BatchRow, BatchStore } from '@portolan/domain';
import { IsNull } from 'typeorm';
import { fence } from '../connect/leases.js';
import type { Sql } from '../connect/sql.js';
import { BatchEntity } from './notary.entities.js';

export class PostgresBatchStore implements BatchStore {
  constructor(private readonly sql: Sql) {}

  async last(): Promise<number | undefined> {
    const row = await this.sql.first<{ n: string | null }>(`SELECT max(n) AS n FROM batch WHERE state <> 'invalid'`);
    return row?.n == null ? undefined : Number(row.n);
  }

  async put({ n, txId, args }: { n: number; txId: Uuid; args: unknown }, fencing: number): Promise<void> {
    await fence(this.sql, 'batcher', fencing);
    const put = await this.sql.affected(
      `INSERT INTO batch AS b (n, tx_id, args) VALUES ($1, $2, $3)
       ON CONFLICT (n) DO UPDATE SET tx_id = excluded.tx_id, args = excluded.args, state = 'open', head = NULL WHERE b.state = 'invalid'`,
      [n, txId, JSON.stringify(args ?? null)],
    );
    if (put === 0) throw new PortolanError('store.conflict', `batch ${n}`);
  }

  /** The batch whose outcome is awaited: one at a time. */
  async open(): Promise<BatchRow | undefined> {
    const row = await this.sql.manager.findOneBy(BatchEntity, { state: 'open' });
    return row === null ? undefined : batchRow(row);
  }

  async settle({ n, txId }: { n: number; txId: Uuid }, state: 'committed' | 'invalid', fencing: number): Promise<void> {
    await fence(this.sql, 'batcher', fencing);
    const settled = await this.sql.manager.update(BatchEntity, { n, txId, state: 'open' }, { state });
    if (settled.affected !== 1) throw new PortolanError('store.conflict', `batch ${n}`, 'not the open one');
  }

  async get(n: number): Promise<BatchRow | undefined> {
    const row = await this.sql.manager.findOneBy(BatchEntity, { n });
    return row === null ? undefined : batchRow(row);
  }

  async headless(limit: number): Promise<readonly BatchRow[]> {
    const where = { state: 'committed' as const, head: IsNull() };
    return (await this.sql.manager.find(BatchEntity, { where, order: { n: 'ASC' }, take: limit })).map(batchRow);
  }

  async assignHead(from: number, to: number, head: number): Promise<void> {
    await this.sql.later(`UPDATE batch SET head = $3 WHERE n BETWEEN $1 AND $2 AND state = 'committed'`, [from, to, head]);
  }
}

const batchRow = ({ n, txId, args, state, head }: BatchEntity): BatchRow => ({
  n,
  txId,
  args: JSON.parse(args) as unknown,
  state,
  head: head ?? undefined,
});

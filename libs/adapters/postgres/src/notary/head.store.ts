import { PortolanError, type Sha256, type Uuid } from '@portolan/contracts';
import type { HeadRow, HeadStore } from '@portolan/domain';
import { Not } from 'typeorm';
import { fence } from '../connect/leases.js';
import type { Plain, Sql } from '../connect/sql.js';
import { HeadEntity } from './notary.entities.js';

export class PostgresHeadStore implements HeadStore {
  constructor(private readonly sql: Sql) {}

  async last(): Promise<HeadRow | undefined> {
    const [row] = await this.sql.manager.find(HeadEntity, { where: { state: Not('invalid' as const) }, order: { seq: 'DESC' }, take: 1 });
    return row && headRow(row);
  }

  async get(seq: number): Promise<HeadRow | undefined> {
    const row = await this.sql.manager.findOneBy(HeadEntity, { seq });
    return row === null ? undefined : headRow(row);
  }

  async put(head: { seq: number; txId: Uuid; args: unknown; size: number; root: Sha256 }, fencing: number): Promise<void> {
    await fence(this.sql, 'sequencer', fencing);
    const put = await this.sql.affected(
      `INSERT INTO head AS h (seq, tx_id, args, size, root) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (seq) DO UPDATE SET tx_id = excluded.tx_id, args = excluded.args, size = excluded.size, root = excluded.root, state = 'open'
       WHERE h.state = 'invalid'`,
      [head.seq, head.txId, JSON.stringify(head.args ?? null), head.size, head.root],
    );
    if (put === 0) throw new PortolanError('store.conflict', `head ${head.seq}`);
  }

  async settle({ seq, txId }: { seq: number; txId: Uuid }, state: 'committed' | 'invalid', fencing: number): Promise<void> {
    await fence(this.sql, 'sequencer', fencing);
    const settled = await this.sql.manager.update(HeadEntity, { seq, txId, state: 'open' }, { state });
    if (settled.affected !== 1) throw new PortolanError('store.conflict', `head ${seq}`, 'not the open one');
  }
}

const headRow = (row: Plain<HeadEntity>): HeadRow => ({ ...row, args: JSON.parse(row.args) as unknown });

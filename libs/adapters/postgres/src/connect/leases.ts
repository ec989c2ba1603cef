import { PortolanError } from '@portolan/contracts';
import { Leases, type LeaseName } from '@portolan/domain';
import type { DataSource } from 'typeorm';
import { storeFailure } from './failure.js';
import type { Sql } from './sql.js';

/** Leases by the database's clock, so that copies of a role on machines with different clocks agree. */
export class PostgresLeases extends Leases {
  constructor(private readonly source: DataSource) {
    super();
  }

  override async acquire(name: LeaseName, holder: string, ttlMs: number): Promise<number | undefined> {
    const taken = await this.query<{ fencing: string }>(
      `INSERT INTO lease AS l (name, holder, fencing, until)
       VALUES ($1, $2, 1, clock_timestamp() + $3 * interval '1 ms')
       ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until,
         fencing = l.fencing + CASE WHEN l.holder = excluded.holder AND l.until > clock_timestamp() THEN 0 ELSE 1 END
       WHERE l.holder = excluded.holder OR l.until <= clock_timestamp()
       RETURNING fencing`,
      [name, holder, ttlMs],
    );
    return taken[0] && Number(taken[0].fencing);
  }

  override async release(name: LeaseName, holder: string): Promise<void> {
    await this.query('UPDATE lease SET until = clock_timestamp() WHERE name = $1 AND holder = $2', [name, holder]);
  }

  private async query<Row>(text: string, parameters: unknown[]): Promise<Row[]> {
    try {
      return await this.source.query<Row[]>(text, parameters);
    } catch (failure) {
      throw storeFailure(failure, 'lease');
    }
  }
}

/**
 * Refuses a write whose fencing number is not the lease's newest, with `store.fenced`. The lock is kept until the transaction ends:
 * nobody can take the lease over between this check and the commit.
 */
export async function fence(sql: Sql, lease: LeaseName, fencing: number): Promise<void> {
  if (sql.fenced.get(lease) === fencing) return;
  const row = await sql.first<{ fencing: string }>('SELECT fencing FROM lease WHERE name = $1 FOR SHARE', [lease]);
  if (row === undefined || Number(row.fencing) !== fencing) throw new PortolanError('store.fenced', `lease ${lease}`);
  sql.fenced.set(lease, fencing);
}

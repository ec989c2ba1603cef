import type { OrgId, Uuid } from '@portolan/contracts';
import { FabricIndexStore, type FoundTx, type IndexedBlock, type IndexedTx, type RefusedAct, type StateWrite } from '@portolan/domain';
import { bytesOf } from '../bodies/bytes.js';
import type { Sql } from '../connect/sql.js';
import type { Transactions } from '../connect/unit-of-work.js';

interface BlockRow {
  readonly number: string;
  readonly hash: string;
  readonly time: string;
}

interface TxRow {
  readonly block: string;
  readonly index: number;
  readonly fabric_id: string;
  readonly id: Uuid;
  readonly org: OrgId;
  readonly role: IndexedTx['role'];
  readonly fn: string;
  readonly args: string;
  readonly time: string;
  readonly valid: boolean;
  readonly code: string | null;
  readonly verdicts: string;
  readonly envelope: Uint8Array | null;
}

/** A notary's index of a Fabric channel, in its own schema. */
export class PostgresFabricIndexStore extends FabricIndexStore {
  constructor(private readonly transactions: Transactions) {
    super();
  }

  override async append(block: IndexedBlock, writes: readonly StateWrite[]): Promise<boolean> {
    return this.transactions.run(async (sql) => {
      // Of two that append the same number, one waits here for the other and then finds it taken.
      const appended = await sql.affected(
        `INSERT INTO fabric_block (number, hash, time)
         SELECT $1::bigint, $2, $3 WHERE $1::bigint = (SELECT coalesce(max(number), -1) + 1 FROM fabric_block)
         ON CONFLICT DO NOTHING`,
        [block.number, block.hash, block.time],
      );
      if (appended === 0) return false;
      await insertTransactions(sql, block);
      await sql.later(
        `INSERT INTO fabric_state (key, value) SELECT * FROM unnest($1::text[], $2::bytea[])
         ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
        [writes.map(({ key }) => key), writes.map(({ value }) => Buffer.from(value))],
      );
      return true;
    });
  }

  override async newest(): Promise<Omit<IndexedBlock, 'transactions'> | undefined> {
    const [row] = await this.rows<BlockRow>('SELECT * FROM fabric_block ORDER BY number DESC LIMIT 1');
    return row && { ...row, number: Number(row.number) };
  }

  override async read(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]> {
    const rows = await this.rows<{ value: Uint8Array | null }>(
      `SELECT state.value FROM unnest($1::text[]) WITH ORDINALITY AS wanted (key, place)
       LEFT JOIN fabric_state state ON state.key = wanted.key ORDER BY wanted.place`,
      [keys],
    );
    return rows.map(({ value }) => (value === null ? undefined : bytesOf(value)));
  }

  override async startingWith(prefix: string, limit: number): Promise<readonly StateWrite[]> {
    const rows = await this.rows<{ key: string; value: Uint8Array }>(
      'SELECT key, value FROM fabric_state WHERE key >= $1 AND starts_with(key, $1) ORDER BY key LIMIT $2',
      [prefix, limit],
    );
    return rows.map(({ key, value }) => ({ key, value: bytesOf(value) }));
  }

  override async blocks(from: number, limit: number): Promise<readonly IndexedBlock[]> {
    return this.transactions.alone(async (sql) => {
      const blocks = await sql.rows<BlockRow>('SELECT * FROM fabric_block WHERE number >= $1 ORDER BY number LIMIT $2', [from, limit]);
      const last = Number(blocks.at(-1)?.number ?? -1);
      const rows = await sql.rows<TxRow>('SELECT * FROM fabric_tx WHERE block BETWEEN $1 AND $2 ORDER BY block, index', [from, last]);
      const of = Map.groupBy(rows, ({ block }) => block);
      return blocks.map(({ number, hash, time }) => ({
        number: Number(number),
        hash,
        time,
        transactions: (of.get(number) ?? []).map(indexed),
      }));
    });
  }

  override async find(id: Uuid): Promise<readonly FoundTx[]> {
    const found = 'SELECT * FROM fabric_tx WHERE id = $1 ORDER BY valid DESC, block DESC, index DESC LIMIT 16';
    return (await this.rows<TxRow>(found, [id])).map((row) => ({ ...indexed(row), block: Number(row.block) }));
  }

  override async refuse({ id, fn, args, code, where, time, height }: RefusedAct): Promise<void> {
    await this.transactions.run((sql) =>
      sql.affected(
        `INSERT INTO fabric_refusal (id, fn, args, code, place, time, height) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
        [id, fn, args, code, where, time, height],
      ),
    );
  }

  override async refusal(id: Uuid): Promise<RefusedAct | undefined> {
    const [row] = await this.rows<Omit<RefusedAct, 'where' | 'height'> & { place: string; height: string }>(
      'SELECT id, fn, args, code, place, time, height FROM fabric_refusal WHERE id = $1',
      [id],
    );
    if (row === undefined) return undefined;
    const { place: where, height, ...rest } = row;
    return { ...rest, where, height: Number(height) };
  }

  override async clear(): Promise<void> {
    await this.transactions.run(async (sql) => {
      for (const table of ['fabric_state', 'fabric_tx', 'fabric_block']) await sql.affected(`DELETE FROM ${table}`);
    });
  }

  private async rows<Row>(text: string, parameters: readonly unknown[] = []): Promise<readonly Row[]> {
    return this.transactions.alone(async (sql) => sql.rows<Row>(text, parameters));
  }
}

function indexed({ block: _block, fabric_id: fabricId, code, envelope, ...row }: TxRow): IndexedTx {
  return {
    ...row,
    fabricId,
    ...(code === null ? {} : { code }),
    ...(envelope === null ? {} : { envelope: bytesOf(envelope) }),
  };
}

async function insertTransactions(sql: Sql, { number, transactions }: IndexedBlock): Promise<void> {
  const column = (of: (tx: IndexedTx) => unknown): unknown[] => transactions.map(of);
  await sql.later(
    `INSERT INTO fabric_tx (block, index, fabric_id, id, org, role, fn, args, time, valid, code, verdicts, envelope)
     SELECT $1::bigint, * FROM unnest($2::integer[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
       $10::boolean[], $11::text[], $12::text[], $13::bytea[])`,
    [
      number,
      column(({ index }) => index),
      column(({ fabricId }) => fabricId),
      column(({ id }) => id),
      column(({ org }) => org),
      column(({ role }) => role),
      column(({ fn }) => fn),
      column(({ args }) => args),
      column(({ time }) => time),
      column(({ valid }) => valid),
      column(({ code }) => code ?? null),
      column(({ verdicts }) => verdicts),
      column(({ envelope }) => (envelope === undefined ? null : Buffer.from(envelope))),
    ],
  );
}

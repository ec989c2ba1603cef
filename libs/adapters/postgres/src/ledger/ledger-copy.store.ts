import type { OrgId, Sha256, Uuid } from '@portolan/contracts';
import { LedgerCopyStore, type ExecutedBlock, type StateWrite, type StoredAttestation } from '@portolan/domain';
import { bytesOf } from '../bodies/bytes.js';
import type { Sql } from '../connect/sql.js';
import type { Transactions } from '../connect/unit-of-work.js';

interface BlockRow {
  readonly number: string;
  readonly header: string;
  readonly results: string;
  readonly results_hash: Sha256;
  readonly state_hash: Sha256;
  readonly transactions: readonly { readonly id: Uuid; readonly jws: string; readonly verdicts: string }[];
}

/** One organisation's copy of the embedded ledger in its notary's schema. */
export class PostgresLedgerCopyStore extends LedgerCopyStore {
  constructor(private readonly transactions: Transactions) {
    super();
  }

  override async append(block: ExecutedBlock, writes: readonly StateWrite[]): Promise<boolean> {
    return this.transactions.run(async (sql) => {
      // Of two that append the same number, one waits here for the other and then finds it taken.
      const appended = await sql.affected(
        `INSERT INTO ledger_block (number, header, results, results_hash, state_hash)
         SELECT $1::bigint, $2, $3, $4, $5 WHERE $1::bigint = (SELECT coalesce(max(number), -1) + 1 FROM ledger_block)
         ON CONFLICT DO NOTHING`,
        [block.number, block.header, block.results, block.resultsHash, block.stateHash],
      );
      if (appended === 0) return false;
      await insertTransactions(sql, block);
      await sql.later(
        `INSERT INTO ledger_state (key, value) SELECT * FROM unnest($1::text[], $2::bytea[])
         ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
        [writes.map(({ key }) => key), writes.map(({ value }) => Buffer.from(value))],
      );
      return true;
    });
  }

  override async height(): Promise<number> {
    const row = await this.one<{ height: string }>('SELECT coalesce(max(number), -1) AS height FROM ledger_block');
    return Number(row?.height);
  }

  override async read(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]> {
    const rows = await this.rows<{ value: Uint8Array | null }>(
      `SELECT state.value FROM unnest($1::text[]) WITH ORDINALITY AS wanted (key, place)
       LEFT JOIN ledger_state state ON state.key = wanted.key ORDER BY wanted.place`,
      [keys],
    );
    return rows.map(({ value }) => (value === null ? undefined : bytesOf(value)));
  }

  override async blocks(from: number, limit: number): Promise<readonly ExecutedBlock[]> {
    const rows = await this.rows<BlockRow>(
      `SELECT b.*, (SELECT coalesce(json_agg(json_build_object('id', t.id, 'jws', t.jws, 'verdicts', t.verdicts) ORDER BY t.index), '[]')
                    FROM ledger_tx t WHERE t.block = b.number) AS transactions
       FROM ledger_block b WHERE b.number >= $1 ORDER BY b.number LIMIT $2`,
      [from, limit],
    );
    return rows.map((row) => ({
      number: Number(row.number),
      header: row.header,
      transactions: row.transactions.map(({ id, jws }) => ({ id, jws })),
      results: row.results,
      resultsHash: row.results_hash,
      stateHash: row.state_hash,
      verdicts: row.transactions.map(({ verdicts }) => verdicts),
    }));
  }

  override async find(id: Uuid): Promise<{ block: number; index: number } | undefined> {
    const sql = 'SELECT block, index FROM ledger_tx WHERE id = $1 ORDER BY block, index LIMIT 1';
    const row = await this.one<{ block: string; index: number }>(sql, [id]);
    return row && { block: Number(row.block), index: row.index };
  }

  override async keepAttestations(attestations: readonly StoredAttestation[], cursor: number): Promise<void> {
    await this.transactions.run(async (sql) => {
      await sql.later(
        `INSERT INTO ledger_attestation (block, org, digest, jws)
         SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) ON CONFLICT DO NOTHING`,
        [
          attestations.map(({ block }) => block),
          attestations.map(({ org }) => org),
          attestations.map(({ digest }) => digest),
          attestations.map(({ jws }) => jws),
        ],
      );
      await sql.later(
        `INSERT INTO ledger_cursor AS c (cursor) VALUES ($1)
         ON CONFLICT (singleton) DO UPDATE SET cursor = greatest(c.cursor, excluded.cursor)`,
        [cursor],
      );
    });
  }

  override async attestationCursor(): Promise<number> {
    return Number((await this.one<{ cursor: string }>('SELECT cursor FROM ledger_cursor'))?.cursor ?? 0);
  }

  override async attestations(from: number, to: number): Promise<readonly StoredAttestation[]> {
    const rows = await this.rows<{ block: string; org: OrgId; digest: Sha256; jws: string }>(
      'SELECT block, org, digest, jws FROM ledger_attestation WHERE block BETWEEN $1 AND $2 ORDER BY block, org, digest',
      [from, to],
    );
    return rows.map((row) => ({ ...row, block: Number(row.block) }));
  }

  private async rows<Row>(text: string, parameters: readonly unknown[] = []): Promise<readonly Row[]> {
    return this.transactions.alone(async (sql) => sql.rows<Row>(text, parameters));
  }

  private async one<Row>(text: string, parameters: readonly unknown[] = []): Promise<Row | undefined> {
    return (await this.rows<Row>(text, parameters))[0];
  }
}

async function insertTransactions(sql: Sql, { number, transactions, verdicts }: ExecutedBlock): Promise<void> {
  await sql.later(
    `INSERT INTO ledger_tx (block, index, id, jws, verdicts)
     SELECT $1, place - 1, id, jws, verdicts FROM unnest($2::uuid[], $3::text[], $4::text[]) WITH ORDINALITY AS t (id, jws, verdicts, place)`,
    [number, transactions.map(({ id }) => id), transactions.map(({ jws }) => jws), transactions.map((_, i) => verdicts[i] ?? '')],
  );
}

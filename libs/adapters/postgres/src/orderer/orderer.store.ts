import type { OrgId, Sha256, Uuid } from '@portolan/contracts';
import { OrdererStore, type SignedBlock, type StoredAttestation } from '@portolan/domain';
import type { Sql } from '../connect/sql.js';
import type { Transactions } from '../connect/unit-of-work.js';

interface BlockRow {
  readonly number: string;
  readonly header: string;
  readonly transactions: readonly { readonly id: Uuid; readonly jws: string }[];
}

interface AttestationRow {
  readonly seq: string;
  readonly block: string;
  readonly org: OrgId;
  readonly digest: Sha256;
  readonly jws: string;
}

/** The orderer's chain and the countries' attestations. Writers of each come one after the other, by an advisory lock. */
export class PostgresOrdererStore extends OrdererStore {
  constructor(private readonly transactions: Transactions) {
    super();
  }

  override async append({ number, header, transactions }: SignedBlock): Promise<boolean> {
    const ids = transactions.map(({ id }) => id);
    return this.transactions.run(async (sql) => {
      await inTurn(sql, 'block');
      const free = await sql.first<{ free: boolean }>(
        `SELECT $1::bigint = (SELECT coalesce(max(number), -1) + 1 FROM block)
           AND NOT EXISTS (SELECT FROM block_tx WHERE id = ANY ($2::uuid[])) AS free`,
        [number, ids],
      );
      if (free?.free !== true) return false;
      // Whatever the server's default: a block is given out only when it cannot be lost.
      await sql.later('SET LOCAL synchronous_commit = on');
      await sql.later('INSERT INTO block (number, header) VALUES ($1, $2)', [number, header]);
      await sql.later(
        `INSERT INTO block_tx (block, index, id, jws)
         SELECT $1, place - 1, id, jws FROM unnest($2::uuid[], $3::text[]) WITH ORDINALITY AS t (id, jws, place)`,
        [number, ids, transactions.map(({ jws }) => jws)],
      );
      return true;
    });
  }

  override async height(): Promise<number> {
    const [row] = await this.rows<{ height: string }>('SELECT coalesce(max(number), -1) AS height FROM block');
    return Number(row?.height);
  }

  override async blocks(from: number, limit: number): Promise<readonly SignedBlock[]> {
    const rows = await this.rows<BlockRow>(
      `SELECT b.number, b.header, (SELECT coalesce(json_agg(json_build_object('id', t.id, 'jws', t.jws) ORDER BY t.index), '[]')
                                   FROM block_tx t WHERE t.block = b.number) AS transactions
       FROM block b WHERE b.number >= $1 ORDER BY b.number LIMIT $2`,
      [from, limit],
    );
    return rows.map(({ number, header, transactions }) => ({ number: Number(number), header, transactions }));
  }

  override async ordered(ids: readonly Uuid[]): Promise<readonly Uuid[]> {
    return (await this.rows<{ id: Uuid }>('SELECT DISTINCT id FROM block_tx WHERE id = ANY ($1::uuid[])', [ids])).map(({ id }) => id);
  }

  override async addAttestation({ block, org, digest, jws }: StoredAttestation): Promise<boolean> {
    return this.transactions.run(async (sql) => {
      // Numbers commit in their order: who read up to one has missed none before it.
      await inTurn(sql, 'attestation');
      const added = await sql.affected(
        'INSERT INTO attestation (block, org, digest, jws) VALUES ($1, $2, $3, $4) ON CONFLICT (block, org, digest) DO NOTHING',
        [block, org, digest, jws],
      );
      return added === 1;
    });
  }

  override async attestationsAfter(seq: number, limit: number): Promise<readonly (StoredAttestation & { readonly seq: number })[]> {
    const text = 'SELECT seq, block, org, digest, jws FROM attestation WHERE seq > $1 ORDER BY seq LIMIT $2';
    return (await this.rows<AttestationRow>(text, [seq, limit])).map((row) => ({ ...row, seq: Number(row.seq), block: Number(row.block) }));
  }

  override async countAttestations(block: number, org: OrgId): Promise<number> {
    const [row] = await this.rows<{ count: string }>('SELECT count(*) AS count FROM attestation WHERE block = $1 AND org = $2', [
      block,
      org,
    ]);
    return Number(row?.count);
  }

  private async rows<Row>(text: string, parameters: readonly unknown[] = []): Promise<readonly Row[]> {
    return this.transactions.run(async (sql) => sql.rows<Row>(text, parameters));
  }
}

async function inTurn(sql: Sql, table: string): Promise<void> {
  await sql.rows('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`orderer ${table}`]);
}

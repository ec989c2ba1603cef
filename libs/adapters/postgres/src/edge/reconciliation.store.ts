import type { Uuid } from '@portolan/contracts';
import type { ForeignEntry, PersonId, Reconciliation, ReconciliationStore, ReconciliationsWanted } from '@portolan/domain';
import type { Sql } from '../connect/sql.js';

interface Row extends Omit<Reconciliation, 'at'> {
  readonly at: Date;
}

const COLUMNS = 'r.id, r.person, r.known, r.come, r.custodian, r.state, r.at';
/** Most pairs that are judged again at once. */
const MAX_AGAIN = 2_000;
const UNJUDGED = `r.state IN ('open', 'withdrawn')`;

/** In clear: it names entries, and nothing of what stands in them. Erased with the person (`PostgresPersonStore.erase`). */
export class PostgresReconciliationStore implements ReconciliationStore {
  constructor(private readonly sql: Sql) {}

  async propose(pairs: readonly Omit<Reconciliation, 'state'>[]): Promise<void> {
    if (pairs.length === 0) return;
    const sorted = pairs.toSorted((a, b) => (a.id < b.id ? -1 : 1));
    const column = (of: keyof Omit<Reconciliation, 'state'>): readonly string[] => sorted.map((pair) => pair[of]);
    await this.sql.later(
      `INSERT INTO reconciliation AS r (id, person, known, come, custodian, at, state)
       SELECT id, person, known, come, custodian, at, 'open'
       FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[]) AS p (id, person, known, come, custodian, at)
       ON CONFLICT (id) DO UPDATE SET state = 'open', at = excluded.at WHERE r.state = 'withdrawn'`,
      [column('id'), column('person'), column('known'), column('come'), column('custodian'), column('at')],
    );
  }

  async noteForeign(person: PersonId, entries: readonly string[], custodian: string): Promise<void> {
    if (entries.length === 0) return;
    await this.sql.later(
      `INSERT INTO foreign_entry (person, entry, custodian) SELECT $1, entry, $3 FROM unnest($2::text[]) AS e (entry) ON CONFLICT DO NOTHING`,
      [person, entries.toSorted(), custodian],
    );
  }

  async foreignOf(person: PersonId, limit: number): Promise<readonly ForeignEntry[]> {
    return this.sql.rows<ForeignEntry>(
      'SELECT entry, custodian FROM foreign_entry WHERE person = ANY (edge.same_person($1)) ORDER BY person, entry LIMIT $2',
      [person, limit],
    );
  }

  async get(id: Uuid): Promise<Reconciliation | undefined> {
    const row = await this.sql.first<Row>(`SELECT ${COLUMNS} FROM reconciliation r WHERE r.id = $1`, [id]);
    return row && pairOf(row);
  }

  async list({ custodian, state, person, after, limit }: ReconciliationsWanted): Promise<readonly Reconciliation[]> {
    const whose = person === undefined ? '' : 'AND r.person = ANY (edge.same_person($5))';
    const rows = await this.sql.rows<Row>(
      `SELECT ${COLUMNS} FROM reconciliation r WHERE r.custodian = $1 AND r.state = $2 ${whose}
       AND ($3::uuid IS NULL OR (r.at, r.id) > (SELECT p.at, p.id FROM reconciliation p WHERE p.id = $3)) ORDER BY r.at, r.id LIMIT $4`,
      [custodian, state, after ?? null, limit, ...(person === undefined ? [] : [person])],
    );
    return rows.map(pairOf);
  }

  async unjudged(entries: readonly string[]): Promise<readonly Reconciliation[]> {
    const rows = await this.sql.rows<Row>(
      `SELECT ${COLUMNS} FROM reconciliation r WHERE (r.known = ANY ($1) OR r.come = ANY ($1)) AND ${UNJUDGED} ORDER BY r.id LIMIT $2`,
      [entries, MAX_AGAIN],
    );
    return rows.map(pairOf);
  }

  async unjudgedOf(person: PersonId): Promise<readonly Reconciliation[]> {
    const rows = await this.sql.rows<Row>(
      `SELECT ${COLUMNS} FROM reconciliation r WHERE r.person = ANY (edge.same_person($1)) AND ${UNJUDGED} ORDER BY r.id LIMIT $2`,
      [person, MAX_AGAIN],
    );
    return rows.map(pairOf);
  }

  async advance(id: Uuid, from: Reconciliation['state'], to: Reconciliation['state']): Promise<boolean> {
    const row = await this.sql.first('UPDATE reconciliation SET state = $3 WHERE id = $1 AND state = $2 RETURNING id', [id, from, to]);
    return row !== undefined;
  }
}

const pairOf = ({ at, ...row }: Row): Reconciliation => ({ ...row, at: at.toISOString() });

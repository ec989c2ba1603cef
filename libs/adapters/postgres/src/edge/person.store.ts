import { PortolanError, type BusinessIdentifier, type Instant, type SearchTraits, type Uuid } from '@portolan/contracts';
import type { Person, PersonEntry, PersonId, PersonMerge, PersonStore } from '@portolan/domain';
import { storable, type Sql } from '../connect/sql.js';
import { entriesBearing, entryById, keyOf, personById, personsByTraits } from './person-queries.js';

interface MergeRow {
  readonly id: Uuid;
  readonly prior: PersonId;
  readonly survivor: PersonId;
  readonly messageId: Uuid;
  readonly at: Date;
  readonly undoneAt: Date | null;
}

const MERGE = 'SELECT m.id, m.prior, m.survivor, m.message_id AS "messageId", m.at, m.undone_at AS "undoneAt" FROM person_merge m';

/** The person index: in clear, so that persons can be found; erased with the person. */
export class PostgresPersonStore implements PersonStore {
  constructor(private readonly sql: Sql) {}

  async byIdentifier(identifier: BusinessIdentifier): Promise<readonly Person[]> {
    return personsByTraits(this.sql, { identifiers: [identifier] });
  }

  async byTraits(traits: SearchTraits): Promise<readonly Person[]> {
    return personsByTraits(this.sql, traits);
  }

  async get(id: PersonId): Promise<Person | undefined> {
    return personById(this.sql, id);
  }

  async same(id: PersonId): Promise<readonly PersonId[]> {
    const row = await this.sql.first<{ ids: PersonId[] }>('SELECT edge.same_person($1) AS ids', [id]);
    return row?.ids ?? [id];
  }

  async entriesBearing(identifier: BusinessIdentifier): Promise<readonly PersonEntry[]> {
    return entriesBearing(this.sql, identifier);
  }

  async entry(id: PersonId): Promise<PersonEntry | undefined> {
    return entryById(this.sql, id);
  }

  /** Throws `store.person-erased`. */
  async save({ id, identifiers, birthDate, family, given }: Person): Promise<void> {
    await this.requireLive(id);
    await this.sql.later(
      `INSERT INTO person (id, birth_date, family, given, family_key, given_key) VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT (id) DO UPDATE SET birth_date = excluded.birth_date, family = excluded.family, given = excluded.given,
         family_key = excluded.family_key, given_key = excluded.given_key`,
      [id, ...[birthDate, family, given, keyOf(family), keyOf(given)].map((text) => (text === undefined ? null : storable(text)))],
    );
    await this.sql.later('DELETE FROM person_identifier WHERE person = $1', [id]);
    await this.sql.later(
      `INSERT INTO person_identifier (system, value, person) SELECT system, value, $3 FROM unnest($1::text[], $2::text[]) AS i (system, value)
       ON CONFLICT DO NOTHING`,
      [identifiers.map(({ system }) => storable(system)), identifiers.map(({ value }) => storable(value)), id],
    );
  }

  async erase(id: PersonId): Promise<void> {
    await this.sql.later('DELETE FROM person WHERE id = $1', [id]);
    await this.sql.later('DELETE FROM reconciliation WHERE person = $1', [id]);
    await this.sql.later('DELETE FROM stay_move WHERE person = $1', [id]);
    await this.sql.later('DELETE FROM foreign_entry WHERE person = $1', [id]);
    // Pairs of somebody from whom she was parted name entries of hers, too.
    for (const end of ['known', 'come'])
      await this.sql.later(`DELETE FROM reconciliation p USING resource r WHERE r.person = $1 AND p.${end} = r.type || '/' || r.id`, [id]);
    await this.sql.later('DELETE FROM search_value v USING resource r WHERE r.person = $1 AND v.type = r.type AND v.resource_id = r.id', [
      id,
    ]);
    await this.sql.later('UPDATE resource SET erased = true WHERE person = $1', [id]);
  }

  async merge({ id, prior, survivor, messageId, at }: Omit<PersonMerge, 'undoneAt'>): Promise<void> {
    const standing = await this.sql.rows<{ id: string }>(
      'SELECT id FROM person WHERE id IN ($1, $2) AND merged_into IS NULL ORDER BY id FOR UPDATE',
      [prior, survivor],
    );
    if (standing.length !== 2) throw new PortolanError('store.conflict', 'person index');
    await this.sql.later('INSERT INTO person_merge (id, prior, survivor, message_id, at) VALUES ($1, $2, $3, $4, $5)', [
      id,
      prior,
      survivor,
      messageId,
      at,
    ]);
    await this.sql.later('UPDATE person SET merged_into = $2 WHERE id = $1 OR merged_into = $1', [prior, survivor]);
  }

  async mergeOf(id: Uuid): Promise<PersonMerge | undefined> {
    const row = await this.sql.first<MergeRow>(`${MERGE} WHERE m.id = $1`, [id]);
    return row && mergeOf(row);
  }

  async merges(after: Uuid | undefined, limit: number): Promise<readonly PersonMerge[]> {
    const rows = await this.sql.rows<MergeRow>(
      `${MERGE} WHERE $1::uuid IS NULL OR (m.at, m.id) < (SELECT a.at, a.id FROM person_merge a WHERE a.id = $1)
       ORDER BY m.at DESC, m.id DESC LIMIT $2`,
      [after ?? null, limit],
    );
    return rows.map(mergeOf);
  }

  async mergeBetween(one: PersonId, other: PersonId): Promise<PersonMerge | undefined> {
    const row = await this.sql.first<MergeRow>(
      `${MERGE} WHERE m.undone_at IS NULL AND (m.prior = $1 AND m.survivor = $2 OR m.prior = $2 AND m.survivor = $1)
       ORDER BY m.at DESC, m.id DESC LIMIT 1`,
      [one, other],
    );
    return row && mergeOf(row);
  }

  async undoMerge(id: Uuid, at: Instant): Promise<boolean> {
    const row = await this.sql.first<{ prior: PersonId }>(
      'UPDATE person_merge SET undone_at = $2 WHERE id = $1 AND undone_at IS NULL RETURNING prior',
      [id, at],
    );
    if (row === undefined) return false;
    await this.sql.later(
      `WITH RECURSIVE came (id) AS (
         SELECT $1::uuid UNION SELECT m.prior FROM person_merge m JOIN came ON m.survivor = came.id WHERE m.undone_at IS NULL
       )
       UPDATE person SET merged_into = CASE WHEN id = $1 THEN NULL ELSE $1 END WHERE id IN (SELECT id FROM came)`,
      [row.prior],
    );
    return true;
  }

  /** Held until the commit, so that an erasure sees this row or this row sees the erasure. */
  private async requireLive(id: PersonId): Promise<void> {
    const row = await this.sql.first<{ erased_at: Date | null }>('SELECT erased_at FROM key_owner WHERE person = $1 FOR SHARE', [id]);
    if (row?.erased_at != null) throw new PortolanError('store.person-erased', 'person index');
  }
}

const mergeOf = ({ at, undoneAt, ...row }: MergeRow): PersonMerge => ({
  ...row,
  at: at.toISOString(),
  undoneAt: undoneAt?.toISOString(),
});

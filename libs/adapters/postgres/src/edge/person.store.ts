import { PortolanError, type BusinessIdentifier, type SearchTraits } from '@portolan/contracts';
import type { Person, PersonId, PersonStore } from '@portolan/domain';
import { storable, type Sql } from '../connect/sql.js';
import { keyOf, personById, personsByTraits } from './person-queries.js';

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

  /** Replaces what the index says of this person. Throws `store.person-erased`. */
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
    await this.sql.later('DELETE FROM search_value v USING resource r WHERE r.person = $1 AND v.type = r.type AND v.resource_id = r.id', [
      id,
    ]);
    await this.sql.later('UPDATE resource SET erased = true WHERE person = $1', [id]);
  }

  /** Held until the commit, so that an erasure sees this row or this row sees the erasure. */
  private async requireLive(id: PersonId): Promise<void> {
    const row = await this.sql.first<{ erased_at: Date | null }>('SELECT erased_at FROM key_owner WHERE person = $1 FOR SHARE', [id]);
    if (row?.erased_at != null) throw new PortolanError('store.person-erased', 'person index');
  }
}

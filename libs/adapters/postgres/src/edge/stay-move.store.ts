import type { PersonId, StayMoved, StayMoveStore } from '@portolan/domain';
import type { Uuid } from '@portolan/contracts';
import type { Sql } from '../connect/sql.js';

/** In clear: it names persons by their ids, and stays by a hash. Erased with the person (`PostgresPersonStore.erase`). */
export class PostgresStayMoveStore implements StayMoveStore {
  constructor(private readonly sql: Sql) {}

  async remember({ person, stay, toPerson, toStay, messageId }: StayMoved): Promise<void> {
    await this.sql.later(
      `INSERT INTO stay_move (person, stay, to_person, to_stay, message_id) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (person, stay) DO UPDATE SET to_person = excluded.to_person, to_stay = excluded.to_stay, message_id = excluded.message_id`,
      [person, stay, toPerson, toStay, messageId],
    );
  }

  async forget(persons: readonly PersonId[], stays: readonly Uuid[]): Promise<void> {
    await this.sql.later('DELETE FROM stay_move WHERE person = ANY ($1::uuid[]) AND stay = ANY ($2::uuid[])', [persons, stays]);
  }

  async of(persons: readonly PersonId[], stays: readonly Uuid[]): Promise<readonly StayMoved[]> {
    return this.sql.rows<StayMoved>(
      `SELECT person, stay, to_person AS "toPerson", to_stay AS "toStay", message_id AS "messageId" FROM stay_move
       WHERE person = ANY ($1::uuid[]) AND stay = ANY ($2::uuid[]) ORDER BY person, stay`,
      [persons, stays],
    );
  }
}

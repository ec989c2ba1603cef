import type { AskedStay, PersonId, StayLeft, StayMoved, StayMoveStore } from '@portolan/domain';
import type { Uuid } from '@portolan/contracts';
import type { Sql } from '../connect/sql.js';

type Row<T extends StayLeft> = Omit<T, 'at'> & { readonly at: Date };

const LEFT = 'l.id, l.person, l.stay, l.encounter, l.custodian, l.why, l.at, l.state';

/** In clear: it names persons and stays by ids and hashes. Erased with the person (`PostgresPersonStore.erase`), and what was left of a move with that. */
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

  async leave({ id, person, stay, encounter, custodian, why, at, state }: StayLeft): Promise<void> {
    await this.sql.later(
      `INSERT INTO stay_left AS l (id, person, stay, encounter, custodian, why, at, state) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
       ON CONFLICT (id) DO UPDATE SET person = excluded.person, stay = excluded.stay, why = excluded.why, at = excluded.at, state = excluded.state
       WHERE l.state <> 'kept'`,
      [id, person, stay, encounter, custodian, why, at, state],
    );
  }

  async asked(after: Uuid | undefined, limit: number): Promise<readonly AskedStay[]> {
    const rows = await this.sql.rows<Row<AskedStay>>(
      `SELECT ${LEFT}, v.message_id AS "messageId", m.source, m.control_id AS "controlId" FROM stay_left l
       JOIN stay_move v ON v.person = l.person AND v.stay = l.stay JOIN message m ON m.id = v.message_id
       JOIN resource r ON r.type = 'Encounter' AND r.id = l.encounter AND NOT r.deleted AND NOT r.erased
       WHERE l.state = 'open' AND ($1::uuid IS NULL OR (l.at, l.id) > (SELECT a.at, a.id FROM stay_left a WHERE a.id = $1))
       ORDER BY l.at, l.id LIMIT $2`,
      [after ?? null, limit],
    );
    return rows.map((row) => ({ ...row, at: row.at.toISOString() }));
  }

  async left(id: Uuid): Promise<StayLeft | undefined> {
    const row = await this.sql.first<Row<StayLeft>>(`SELECT ${LEFT} FROM stay_left l WHERE l.id = $1`, [id]);
    return row && { ...row, at: row.at.toISOString() };
  }

  async answer(id: Uuid, state: 'kept' | 'moved'): Promise<boolean> {
    return (
      (await this.sql.first(`UPDATE stay_left SET state = $2 WHERE id = $1 AND state = 'open' RETURNING id`, [id, state])) !== undefined
    );
  }

  async gone(encounters: readonly string[]): Promise<void> {
    await this.sql.later(`UPDATE stay_left SET state = 'moved' WHERE encounter = ANY ($1::text[]) AND state = 'open'`, [encounters]);
  }
}

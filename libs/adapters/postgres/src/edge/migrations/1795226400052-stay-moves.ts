import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Stays that are no longer whose, or under which number, somebody may still send them. No row names a number: `stay` is a hash of it. */
export class StayMoves1795226400052 implements MigrationInterface {
  readonly name = 'StayMoves1795226400052';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE stay_move (
        person uuid NOT NULL,
        stay uuid NOT NULL,
        to_person uuid NOT NULL,
        to_stay uuid NOT NULL,
        message_id uuid NOT NULL REFERENCES message,
        PRIMARY KEY (person, stay)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE stay_move');
  }
}

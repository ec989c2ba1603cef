import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Stays that others sent under a number that was moved, and that stand where they stood until somebody answers. No row says what stands in one.
 */
export class StaysLeft1795226400054 implements MigrationInterface {
  readonly name = 'StaysLeft1795226400054';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE stay_left (
        id uuid PRIMARY KEY,
        person uuid NOT NULL,
        stay uuid NOT NULL,
        encounter text COLLATE "C" NOT NULL,
        custodian text NOT NULL,
        why text NOT NULL,
        at timestamptz(3) NOT NULL,
        state text NOT NULL CHECK (state IN ('open', 'kept', 'moved')),
        FOREIGN KEY (person, stay) REFERENCES stay_move ON DELETE CASCADE
      )`);
    await runner.query(`CREATE INDEX stay_left_open ON stay_left (at, id) WHERE state = 'open'`);
    await runner.query('CREATE INDEX stay_left_encounter ON stay_left (encounter)');
    await runner.query('CREATE INDEX stay_left_move ON stay_left (person, stay)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE stay_left');
  }
}

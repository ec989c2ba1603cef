import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Pairs of entries that may say the same, and what was judged of them. No row says what stands in an entry. */
export class Reconciliations1795226400050 implements MigrationInterface {
  readonly name = 'Reconciliations1795226400050';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE reconciliation (
        id uuid PRIMARY KEY,
        person uuid NOT NULL,
        known text NOT NULL,
        come text NOT NULL,
        custodian text NOT NULL,
        state text NOT NULL CHECK (state IN ('open', 'same', 'different', 'withdrawn')),
        at timestamptz(3) NOT NULL
      )`);
    await runner.query('CREATE INDEX reconciliation_listed ON reconciliation (custodian, state, at, id)');
    await runner.query('CREATE INDEX reconciliation_person ON reconciliation (person, state, at, id)');
    await runner.query('CREATE INDEX reconciliation_known ON reconciliation (known)');
    await runner.query('CREATE INDEX reconciliation_come ON reconciliation (come)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE reconciliation');
  }
}

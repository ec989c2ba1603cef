import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Emergencies1795226400006 implements MigrationInterface {
  readonly name = 'Emergencies1795226400006';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE emergency (
        id uuid PRIMARY KEY,
        custodian text NOT NULL,
        declared timestamptz(3) NOT NULL,
        until timestamptz(3) NOT NULL,
        review_due timestamptz(3) NOT NULL,
        state text NOT NULL CHECK (state IN ('declared', 'ended', 'reviewed')),
        key_id uuid NOT NULL REFERENCES data_key,
        text bytea NOT NULL,
        review bytea
      )`);
    await runner.query(`CREATE INDEX emergency_unreviewed ON emergency (review_due) WHERE state <> 'reviewed'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE emergency');
  }
}

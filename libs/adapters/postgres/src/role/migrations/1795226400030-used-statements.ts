import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Of edge and exchange: statements about the acting professional that an act was done under. */
export class UsedStatements1795226400030 implements MigrationInterface {
  readonly name = 'UsedStatements1795226400030';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE used_statement (id bytea PRIMARY KEY, until timestamptz(3) NOT NULL)');
    await runner.query('CREATE INDEX used_statement_until ON used_statement (until)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE used_statement');
  }
}

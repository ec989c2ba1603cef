import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which entries of a record a document from abroad brought, and whose staff judges what they repeat. No row says what stands in one. */
export class ForeignEntries1795226400053 implements MigrationInterface {
  readonly name = 'ForeignEntries1795226400053';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE foreign_entry (
        person uuid NOT NULL,
        entry text NOT NULL,
        custodian text NOT NULL,
        PRIMARY KEY (person, entry)
      )`);
    // Of what came before this, it is known where something was proposed.
    await runner.query(`
      INSERT INTO foreign_entry (person, entry, custodian) SELECT person, come, min(custodian) FROM reconciliation GROUP BY person, come`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE foreign_entry');
  }
}

import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Whatever trait a country's search begins with, it begins at an index; the family name has one with the birth date already. */
export class PersonTraits1795226400035 implements MigrationInterface {
  readonly name = 'PersonTraits1795226400035';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE INDEX person_birth ON person (birth_date, given_key)');
    await runner.query('CREATE INDEX person_given ON person (given_key)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX person_given');
    await runner.query('DROP INDEX person_birth');
  }
}

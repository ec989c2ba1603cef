import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Acts that go to the channel together, in one transaction. */
export class BundledActs1795226400037 implements MigrationInterface {
  readonly name = 'BundledActs1795226400037';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE act ADD COLUMN bundle uuid');
    await runner.query('CREATE INDEX act_bundle ON act (bundle, seq) WHERE bundle IS NOT NULL');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX act_bundle');
    await runner.query('ALTER TABLE act DROP COLUMN bundle');
  }
}

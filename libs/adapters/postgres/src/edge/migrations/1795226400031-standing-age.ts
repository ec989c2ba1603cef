import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How old a resource's current content is by its source's own word: what is older and comes later replaces nothing. */
export class StandingAge1795226400031 implements MigrationInterface {
  readonly name = 'StandingAge1795226400031';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE resource ADD COLUMN content_at timestamptz(3), ADD COLUMN sent_at timestamptz(3)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE resource DROP COLUMN content_at, DROP COLUMN sent_at');
  }
}

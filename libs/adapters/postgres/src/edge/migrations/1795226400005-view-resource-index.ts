import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A resource of a view is read by its type and id: which views show it. */
export class ViewResourceIndex1795226400005 implements MigrationInterface {
  readonly name = 'ViewResourceIndex1795226400005';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE INDEX view_resource_shown ON view_resource (type, id)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX view_resource_shown');
  }
}

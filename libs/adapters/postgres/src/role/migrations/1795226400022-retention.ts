import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Deliveries count what was refused apart from what did not reach anybody, and rows that have served are found by when they did, so that
 * they can be removed in small batches.
 */
export class Retention1795226400022 implements MigrationInterface {
  readonly name = 'Retention1795226400022';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE outbox ADD COLUMN refusals integer NOT NULL DEFAULT 0, ADD COLUMN delivered_at timestamptz(3)');
    await runner.query(`UPDATE outbox SET delivered_at = now() WHERE state = 'delivered'`);
    await runner.query(`CREATE INDEX outbox_delivered ON outbox (delivered_at) WHERE state = 'delivered'`);
    await runner.query('CREATE INDEX inbox_at ON inbox (at, id)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX inbox_at');
    await runner.query('DROP INDEX outbox_delivered');
    await runner.query('ALTER TABLE outbox DROP COLUMN delivered_at, DROP COLUMN refusals');
  }
}

import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What waits is looked for in the order of the queue, so that a long one is not sorted for its first hundred. Without an index over `next_at`,
 * and with room in each page, taking an envelope changes its row alone and no index (PostgreSQL's heap-only tuples).
 */
export class OutgoingQueue1795226400036 implements MigrationInterface {
  readonly name = 'OutgoingQueue1795226400036';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE INDEX outgoing_waiting ON outgoing (seq) WHERE state = 'waiting'`);
    await runner.query('DROP INDEX outgoing_due');
    await runner.query('ALTER TABLE outgoing SET (fillfactor = 50)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE outgoing RESET (fillfactor)');
    await runner.query(`CREATE INDEX outgoing_due ON outgoing (next_at) WHERE state = 'waiting'`);
    await runner.query('DROP INDEX outgoing_waiting');
  }
}

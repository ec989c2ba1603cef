import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * An envelope on its way out ends as sent, as dead (refused too often), or as lapsed: what it was for is over. When it ended, and when an
 * incoming one was done with, says how long its row is kept.
 */
export class EnvelopesEnd1795226400023 implements MigrationInterface {
  readonly name = 'EnvelopesEnd1795226400023';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE outgoing DROP CONSTRAINT outgoing_state_check');
    await runner.query(`
      ALTER TABLE outgoing ADD COLUMN refusals integer NOT NULL DEFAULT 0, ADD COLUMN until timestamptz(3), ADD COLUMN ended_at timestamptz(3),
        ADD CONSTRAINT outgoing_state_check CHECK (state IN ('waiting', 'sent', 'dead', 'lapsed'))`);
    await runner.query(`UPDATE outgoing SET ended_at = now() WHERE state = 'sent'`);
    await runner.query(`CREATE INDEX outgoing_until ON outgoing (until) WHERE state = 'waiting'`);
    await runner.query(`CREATE INDEX outgoing_ended ON outgoing (ended_at) WHERE state IN ('sent', 'lapsed')`);
    await runner.query(`CREATE INDEX outgoing_dead ON outgoing (seq) WHERE state = 'dead'`);
    await runner.query('ALTER TABLE incoming ADD COLUMN done_at timestamptz(3)');
    await runner.query(`UPDATE incoming SET done_at = now() WHERE state = 'done'`);
    await runner.query(`CREATE INDEX incoming_done ON incoming (done_at) WHERE state = 'done'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX incoming_done');
    await runner.query('ALTER TABLE incoming DROP COLUMN done_at');
    for (const index of ['outgoing_dead', 'outgoing_ended', 'outgoing_until']) await runner.query(`DROP INDEX ${index}`);
    await runner.query(`DELETE FROM outgoing WHERE state = 'lapsed'`);
    await runner.query(`UPDATE outgoing SET state = 'waiting' WHERE state = 'dead'`);
    await runner.query('ALTER TABLE outgoing DROP CONSTRAINT outgoing_state_check');
    await runner.query(`
      ALTER TABLE outgoing DROP COLUMN ended_at, DROP COLUMN until, DROP COLUMN refusals,
        ADD CONSTRAINT outgoing_state_check CHECK (state IN ('waiting', 'sent'))`);
  }
}

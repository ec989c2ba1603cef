import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Each adoption of a transfer is a step of its own (`act`: its id), every other step is one of its kind. The trail names what came a
 * second time: of releases and of ends of one transfer the first in ledger order counts. What was indexed before is judged here alike.
 */
export class CountingSteps1795226400021 implements MigrationInterface {
  readonly name = 'CountingSteps1795226400021';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE step ADD COLUMN act uuid');
    await runner.query('ALTER TABLE step DROP CONSTRAINT step_transfer_id_step_key');
    await runner.query('CREATE UNIQUE INDEX step_once ON step (transfer_id, step, act) NULLS NOT DISTINCT');
    await runner.query(`ALTER TABLE trail_step ADD COLUMN alarm text`);
    await runner.query(`
      UPDATE trail_step s SET alarm = CASE WHEN s.step = 'released' THEN 'ledger.release-repeated' ELSE 'ledger.end-repeated' END
      WHERE s.step <> 'adopted' AND EXISTS (
        SELECT FROM trail_step p
        WHERE p.transfer_id = s.transfer_id AND p.sender = s.sender AND p.recipient = s.recipient
          AND p.step <> 'adopted' AND (p.step = 'released') = (s.step = 'released') AND (p.block, p.position) < (s.block, s.position))`);
    await runner.query('CREATE INDEX trail_step_alarm ON trail_step (block, position) WHERE alarm IS NOT NULL');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX trail_step_alarm');
    await runner.query('ALTER TABLE trail_step DROP COLUMN alarm');
    await runner.query('DROP INDEX step_once');
    await runner.query(`DELETE FROM step WHERE act IS NOT NULL`);
    await runner.query('ALTER TABLE step DROP COLUMN act');
    await runner.query('ALTER TABLE step ADD CONSTRAINT step_transfer_id_step_key UNIQUE (transfer_id, step)');
  }
}

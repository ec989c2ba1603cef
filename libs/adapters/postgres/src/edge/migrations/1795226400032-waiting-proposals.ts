import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Proposals that wait for an organisation's answer, as it lists them. */
export class WaitingProposals1795226400032 implements MigrationInterface {
  readonly name = 'WaitingProposals1795226400032';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE proposal ADD COLUMN custodian text');
    await runner.query(`CREATE INDEX proposal_waiting ON proposal (custodian, at, id) WHERE state = 'permitted'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX proposal_waiting');
    await runner.query('ALTER TABLE proposal DROP COLUMN custodian');
  }
}

import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Finds late steps that are missing by when they happened, as their leaf says (PostgresStepStore.missing asks by the same expression).
 * Leaves are canonical JSON of ids, hashes and instants, in which no text can look like a member. Instants compare as texts.
 */
export class LateSteps1795226400007 implements MigrationInterface {
  readonly name = 'LateSteps1795226400007';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE INDEX step_late ON step (substring(leaf from '"time":"([^"]{24})"'))
        WHERE leaf LIKE '%"late":"%' AND state <> 'accepted'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX step_late');
  }
}

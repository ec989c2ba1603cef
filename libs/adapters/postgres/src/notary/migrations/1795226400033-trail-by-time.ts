import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Each is followed by the order of a page (PostgresTrailStore.steps), so that a page is read from one end of it and nothing is sorted. */
const indexes: Readonly<Record<string, string>> = {
  at: '(at, block, position)',
  sender: '(sender, at, block, position)',
  recipient: '(recipient, at, block, position)',
  purpose: '(purpose, at, block, position)',
  step: '(step, at, block, position)',
  alarm: '(at, block, position) WHERE alarm IS NOT NULL',
};

/** The trail is read by time: what a regulator asks of one month is found without all that came since. */
export class TrailByTime1795226400033 implements MigrationInterface {
  readonly name = 'TrailByTime1795226400033';

  async up(runner: QueryRunner): Promise<void> {
    for (const name of ['at', 'sender', 'recipient', 'alarm']) await runner.query(`DROP INDEX trail_step_${name}`);
    for (const [name, on] of Object.entries(indexes)) await runner.query(`CREATE INDEX trail_step_${name} ON trail_step ${on}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const name of Object.keys(indexes)) await runner.query(`DROP INDEX trail_step_${name}`);
    await runner.query('CREATE INDEX trail_step_alarm ON trail_step (block, position) WHERE alarm IS NOT NULL');
    await runner.query('CREATE INDEX trail_step_at ON trail_step (at)');
    for (const name of ['sender', 'recipient'])
      await runner.query(`CREATE INDEX trail_step_${name} ON trail_step (${name}, block, position)`);
  }
}

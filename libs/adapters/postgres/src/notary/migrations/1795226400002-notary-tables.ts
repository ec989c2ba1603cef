import type { MigrationInterface, QueryRunner } from 'typeorm';

export class NotaryTables1795226400002 implements MigrationInterface {
  readonly name = 'NotaryTables1795226400002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE act (
        seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        id uuid NOT NULL UNIQUE,
        fn text NOT NULL,
        args text NOT NULL,
        state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'submitted', 'committed', 'invalid')),
        code text,
        attempts integer NOT NULL DEFAULT 0,
        next_at timestamptz NOT NULL
      )`);
    await runner.query(`CREATE INDEX act_due ON act (next_at) WHERE state IN ('pending', 'submitted')`);
    await this.steps(runner);
    await this.log(runner);
    await this.trail(runner);
  }

  private async steps(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE batch (
        n bigint PRIMARY KEY,
        tx_id uuid NOT NULL UNIQUE,
        args text NOT NULL,
        state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'committed', 'invalid')),
        head bigint
      )`);
    await runner.query(`CREATE UNIQUE INDEX batch_one_open ON batch ((true)) WHERE state = 'open'`);
    await runner.query(`CREATE INDEX batch_headless ON batch (n) WHERE state = 'committed' AND head IS NULL`);
    await runner.query(`
      CREATE TABLE step (
        seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        transfer_id uuid NOT NULL,
        step text NOT NULL,
        leaf text NOT NULL,
        evidence text,
        state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'batched', 'accepted', 'rejected')),
        batch bigint,
        position integer,
        leaf_index integer,
        code text,
        next_at timestamptz NOT NULL,
        UNIQUE (transfer_id, step)
      )`);
    await runner.query(`CREATE INDEX step_pending ON step (seq) WHERE state = 'pending'`);
    await runner.query('CREATE INDEX step_batch ON step (batch, position)');
    await runner.query(`
      CREATE TABLE head (
        seq bigint PRIMARY KEY,
        tx_id uuid NOT NULL UNIQUE,
        args text NOT NULL,
        size bigint NOT NULL,
        root text NOT NULL,
        state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'committed', 'invalid'))
      )`);
  }

  private async log(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE log_queue (
        seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        event_id uuid NOT NULL UNIQUE,
        leaf_hash text NOT NULL,
        appended boolean NOT NULL DEFAULT false
      )`);
    await runner.query('CREATE INDEX log_queue_waiting ON log_queue (seq) WHERE NOT appended');
    await runner.query(`
      CREATE TABLE log_leaf (
        index bigint PRIMARY KEY,
        event_id uuid NOT NULL UNIQUE,
        leaf_hash text NOT NULL
      )`);
    await runner.query(`
      CREATE TABLE log_node (
        level integer NOT NULL,
        index bigint NOT NULL,
        hash text NOT NULL,
        PRIMARY KEY (level, index)
      )`);
  }

  private async trail(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE trail_checkpoint (
        singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
        block bigint NOT NULL
      )`);
    await runner.query(`
      CREATE TABLE trail_step (
        block bigint NOT NULL,
        position integer NOT NULL,
        at timestamptz(3) NOT NULL,
        org text NOT NULL,
        transfer_id uuid NOT NULL,
        step text NOT NULL,
        sender text NOT NULL,
        recipient text NOT NULL,
        permit_id uuid,
        purpose text,
        reason text,
        late boolean NOT NULL,
        batch bigint NOT NULL,
        leaf_index integer NOT NULL,
        leaf text NOT NULL,
        PRIMARY KEY (block, position)
      )`);
    await runner.query('CREATE UNIQUE INDEX trail_step_leaf ON trail_step (org, batch, leaf_index)');
    await runner.query('CREATE INDEX trail_step_transfer ON trail_step (transfer_id)');
    await runner.query('CREATE INDEX trail_step_sender ON trail_step (sender, block, position)');
    await runner.query('CREATE INDEX trail_step_recipient ON trail_step (recipient, block, position)');
    await runner.query('CREATE INDEX trail_step_at ON trail_step (at)');
    await runner.query(`
      CREATE TABLE trail_permit (
        id uuid PRIMARY KEY,
        custodian text NOT NULL,
        recipient text NOT NULL,
        purpose text NOT NULL,
        until timestamptz(3) NOT NULL,
        block bigint NOT NULL,
        ended_at timestamptz(3),
        end_block bigint
      )`);
    await runner.query(`
      CREATE TABLE trail_key (
        org text NOT NULL,
        kid text NOT NULL,
        use text NOT NULL CHECK (use IN ('sign', 'seal', 'tls', 'ledger', 'governance', 'ca')),
        not_before timestamptz(3) NOT NULL,
        not_after timestamptz(3) NOT NULL,
        ended_at timestamptz(3),
        PRIMARY KEY (org, kid)
      )`);
    await runner.query('CREATE INDEX trail_key_use ON trail_key (org, use, not_before DESC)');
    await runner.query(`
      CREATE TABLE trail_head (
        org text NOT NULL,
        seq bigint NOT NULL,
        tx_id uuid NOT NULL,
        block bigint NOT NULL,
        from_batch bigint NOT NULL,
        to_batch bigint NOT NULL,
        PRIMARY KEY (org, seq)
      )`);
    await runner.query('CREATE INDEX trail_head_batch ON trail_head (org, to_batch)');
  }

  async down(runner: QueryRunner): Promise<void> {
    const trail = ['trail_head', 'trail_key', 'trail_permit', 'trail_step', 'trail_checkpoint'];
    for (const table of [...trail, 'log_node', 'log_leaf', 'log_queue', 'head', 'step', 'batch', 'act'])
      await runner.query(`DROP TABLE ${table}`);
  }
}

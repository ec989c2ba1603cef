import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ExchangeTables1795226400001 implements MigrationInterface {
  readonly name = 'ExchangeTables1795226400001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE transfer (
        transfer_id uuid PRIMARY KEY,
        side text NOT NULL CHECK (side IN ('asker', 'custodian')),
        kind text NOT NULL CHECK (kind IN ('match', 'record')),
        partner text NOT NULL,
        state text NOT NULL,
        permit_id uuid,
        person uuid,
        key_id uuid NOT NULL REFERENCES data_key,
        data bytea NOT NULL,
        open_until timestamptz(3) NOT NULL,
        due_at timestamptz NOT NULL,
        claimed_until timestamptz,
        attempts integer NOT NULL DEFAULT 0,
        code text,
        created_at timestamptz(3) NOT NULL
      )`);
    await runner.query('CREATE INDEX transfer_due ON transfer (state, due_at)');
    await runner.query('CREATE INDEX transfer_permit ON transfer (permit_id)');
    await runner.query('CREATE INDEX transfer_newest ON transfer (created_at DESC)');
    await this.envelopes(runner);
    await this.grounds(runner);
  }

  private async envelopes(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE incoming (
        seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        sender text NOT NULL,
        id text NOT NULL,
        key text NOT NULL,
        body bytea NOT NULL,
        received_at timestamptz(3) NOT NULL,
        state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'dead')),
        attempts integer NOT NULL DEFAULT 0,
        next_at timestamptz NOT NULL,
        code text,
        UNIQUE (sender, id)
      )`);
    await runner.query(`CREATE INDEX incoming_order ON incoming (sender, key, seq) WHERE state = 'waiting'`);
    await runner.query(`CREATE INDEX incoming_due ON incoming (next_at) WHERE state = 'waiting'`);
    await runner.query(`CREATE INDEX incoming_dead ON incoming (seq) WHERE state = 'dead'`);
    await runner.query(`
      CREATE TABLE outgoing (
        seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        id text NOT NULL UNIQUE,
        recipient text NOT NULL,
        key text NOT NULL,
        body bytea NOT NULL,
        state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent')),
        attempts integer NOT NULL DEFAULT 0,
        next_at timestamptz NOT NULL,
        code text
      )`);
    await runner.query(`CREATE INDEX outgoing_order ON outgoing (recipient, key, seq) WHERE state = 'waiting'`);
    await runner.query(`CREATE INDEX outgoing_due ON outgoing (next_at) WHERE state = 'waiting'`);
    await runner.query('CREATE INDEX outgoing_key ON outgoing (key)');
  }

  private async grounds(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE consent (
        id uuid PRIMARY KEY,
        version integer NOT NULL,
        person uuid NOT NULL,
        state text NOT NULL CHECK (state IN ('live', 'withdrawn', 'replaced')),
        key_id uuid NOT NULL REFERENCES data_key,
        text bytea NOT NULL,
        at timestamptz(3) NOT NULL,
        ended_at timestamptz(3)
      )`);
    await runner.query('CREATE INDEX consent_person ON consent (person)');
    await runner.query(`
      CREATE TABLE restriction (
        id uuid PRIMARY KEY,
        person uuid NOT NULL,
        state text NOT NULL CHECK (state IN ('live', 'lifted')),
        key_id uuid NOT NULL REFERENCES data_key,
        text bytea NOT NULL,
        at timestamptz(3) NOT NULL,
        lifted_at timestamptz(3)
      )`);
    await runner.query('CREATE INDEX restriction_person ON restriction (person)');
    await runner.query(`
      CREATE TABLE permit (
        id uuid PRIMARY KEY,
        transfer_id uuid NOT NULL,
        person uuid NOT NULL,
        recipient text NOT NULL,
        purpose text NOT NULL,
        until timestamptz(3) NOT NULL,
        state text NOT NULL CHECK (state IN ('granted', 'anchored', 'ended')),
        key_id uuid NOT NULL REFERENCES data_key,
        opening bytea NOT NULL,
        consent_id uuid REFERENCES consent
      )`);
    await runner.query('CREATE INDEX permit_person ON permit (person)');
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['permit', 'restriction', 'consent', 'outgoing', 'incoming', 'transfer']) await runner.query(`DROP TABLE ${table}`);
  }
}

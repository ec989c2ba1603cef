import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What every role's schema has: data keys, outbox, inbox, audit, leases. */
export class RoleTables1795226400000 implements MigrationInterface {
  readonly name = 'RoleTables1795226400000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE key_owner (
        person uuid PRIMARY KEY,
        erased_at timestamptz(3)
      )`);
    await runner.query(`
      CREATE TABLE data_key (
        id uuid PRIMARY KEY,
        wrapped bytea,
        person uuid REFERENCES key_owner,
        main boolean NOT NULL DEFAULT false,
        destroyed_at timestamptz(3),
        CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL)),
        CHECK (person IS NOT NULL OR NOT main)
      )`);
    await runner.query('CREATE UNIQUE INDEX data_key_main ON data_key (person) WHERE main');
    await runner.query('CREATE INDEX data_key_person ON data_key (person)');
    await runner.query(`
      CREATE TABLE outbox (
        seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        id uuid NOT NULL UNIQUE,
        recipient text NOT NULL,
        type text NOT NULL,
        key text NOT NULL,
        key_id uuid NOT NULL REFERENCES data_key,
        body bytea NOT NULL,
        state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'dead')),
        attempts integer NOT NULL DEFAULT 0,
        next_at timestamptz NOT NULL,
        code text
      )`);
    await runner.query(`CREATE INDEX outbox_due ON outbox (next_at) WHERE state = 'waiting'`);
    await runner.query(`CREATE INDEX outbox_order ON outbox (recipient, key, seq) WHERE state = 'waiting'`);
    await runner.query(`CREATE INDEX outbox_dead ON outbox (seq) WHERE state = 'dead'`);
    await runner.query(`
      CREATE TABLE inbox (
        id uuid PRIMARY KEY,
        at timestamptz(3) NOT NULL
      )`);
    await this.audit(runner);
    await runner.query(`
      CREATE TABLE lease (
        name text PRIMARY KEY,
        holder text NOT NULL,
        fencing bigint NOT NULL,
        until timestamptz NOT NULL
      )`);
  }

  private async audit(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE audit_event (
        seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        id uuid NOT NULL UNIQUE,
        at timestamptz(3) NOT NULL,
        type text NOT NULL,
        outcome text NOT NULL CHECK (outcome IN ('success', 'refused', 'failed')),
        person uuid,
        transfer_id uuid,
        key_id uuid NOT NULL REFERENCES data_key,
        body bytea NOT NULL,
        leaf_hash bytea NOT NULL
      )`);
    await runner.query('CREATE INDEX audit_event_person ON audit_event (person, seq)');
    await runner.query('CREATE INDEX audit_event_transfer ON audit_event (transfer_id, seq)');
    await runner.query(`
      CREATE FUNCTION keep_audit() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION 'audit events are never changed or removed' USING ERRCODE = 'insufficient_privilege';
      END $$`);
    await runner.query(`
      CREATE TRIGGER audit_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_event
      FOR EACH STATEMENT EXECUTE FUNCTION keep_audit()`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['lease', 'audit_event', 'inbox', 'outbox', 'data_key', 'key_owner']) await runner.query(`DROP TABLE ${table}`);
    await runner.query('DROP FUNCTION keep_audit');
  }
}

import type { MigrationInterface, QueryRunner } from 'typeorm';

export class EdgeTables1795226400003 implements MigrationInterface {
  readonly name = 'EdgeTables1795226400003';

  async up(runner: QueryRunner): Promise<void> {
    await this.messages(runner);
    await this.persons(runner);
    await this.resources(runner);
    await this.views(runner);
    await runner.query(`
      CREATE TABLE edge_transfer (
        transfer_id uuid PRIMARY KEY,
        kind text NOT NULL CHECK (kind IN ('match', 'record')),
        country text NOT NULL,
        state text NOT NULL CHECK (state IN ('asked', 'viewed', 'matched', 'none', 'failed', 'ended')),
        requested_by text NOT NULL,
        case_id text NOT NULL,
        key_id uuid NOT NULL REFERENCES data_key,
        data bytea NOT NULL,
        created_at timestamptz(3) NOT NULL
      )`);
    await runner.query('CREATE INDEX edge_transfer_newest ON edge_transfer (created_at DESC)');
    await runner.query(`
      CREATE TABLE feed_entry (
        seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        id uuid NOT NULL UNIQUE,
        person uuid NOT NULL,
        at timestamptz(3) NOT NULL,
        key_id uuid NOT NULL REFERENCES data_key,
        body bytea NOT NULL
      )`);
    await runner.query('CREATE INDEX feed_entry_person ON feed_entry (person, seq)');
    await runner.query(`
      CREATE TABLE proposal (
        id uuid PRIMARY KEY,
        person uuid NOT NULL,
        state text NOT NULL CHECK (state IN ('open', 'permitted', 'accepted', 'declined')),
        key_id uuid NOT NULL REFERENCES data_key,
        body bytea NOT NULL,
        at timestamptz(3) NOT NULL
      )`);
    await runner.query('CREATE INDEX proposal_person ON proposal (person, at DESC)');
    await runner.query(`
      CREATE TABLE patient_link (
        handle text PRIMARY KEY,
        country text NOT NULL,
        key_id uuid NOT NULL REFERENCES data_key,
        traits bytea NOT NULL,
        local uuid
      )`);
  }

  private async messages(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE message (
        id uuid PRIMARY KEY,
        via text NOT NULL CHECK (via IN ('mllp', 'http', 'fhir', 'replay')),
        source text NOT NULL,
        format text NOT NULL,
        control_id text NOT NULL,
        sha256 text NOT NULL,
        received_at timestamptz(3) NOT NULL,
        state text NOT NULL CHECK (state IN ('stored', 'rejected', 'not-production')),
        key_id uuid NOT NULL REFERENCES data_key,
        original bytea NOT NULL,
        UNIQUE (source, sha256)
      )`);
    await runner.query(`
      CREATE TABLE message_account (
        message_id uuid PRIMARY KEY REFERENCES message,
        key_id uuid NOT NULL REFERENCES data_key,
        body bytea NOT NULL
      )`);
    await runner.query(`
      CREATE TABLE reject (
        id uuid PRIMARY KEY,
        message_id uuid NOT NULL REFERENCES message,
        source text NOT NULL,
        format text NOT NULL,
        code text NOT NULL,
        place text NOT NULL,
        at timestamptz(3) NOT NULL,
        state text NOT NULL CHECK (state IN ('open', 'repaired', 'discarded')),
        closed_by uuid,
        reason bytea
      )`);
    await runner.query('CREATE INDEX reject_state ON reject (state, at)');
  }

  private async persons(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE person (
        id uuid PRIMARY KEY,
        birth_date text,
        family text,
        given text,
        family_key text,
        given_key text
      )`);
    await runner.query('CREATE INDEX person_name ON person (family_key, birth_date)');
    await runner.query(`
      CREATE TABLE person_identifier (
        system text NOT NULL,
        value text NOT NULL,
        person uuid NOT NULL REFERENCES person ON DELETE CASCADE,
        PRIMARY KEY (system, value, person)
      )`);
    await runner.query('CREATE INDEX person_identifier_person ON person_identifier (person)');
  }

  private async resources(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE resource (
        type text NOT NULL,
        id text COLLATE "C" NOT NULL,
        version_id integer NOT NULL,
        last_updated timestamptz(3) NOT NULL,
        person uuid,
        categories text[] NOT NULL,
        sha256 text NOT NULL,
        deleted boolean NOT NULL,
        erased boolean NOT NULL DEFAULT false,
        PRIMARY KEY (type, id)
      )`);
    await runner.query('CREATE INDEX resource_person ON resource (person, last_updated DESC)');
    await runner.query(`
      CREATE TABLE resource_version (
        type text NOT NULL,
        id text COLLATE "C" NOT NULL,
        version_id integer NOT NULL,
        last_updated timestamptz(3) NOT NULL,
        person uuid,
        key_id uuid NOT NULL REFERENCES data_key,
        categories text[] NOT NULL,
        message_id uuid,
        sha256 text NOT NULL,
        deleted boolean NOT NULL,
        body bytea NOT NULL,
        PRIMARY KEY (type, id, version_id),
        FOREIGN KEY (type, id) REFERENCES resource
      )`);
  }

  private async views(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE view (
        id uuid PRIMARY KEY,
        transfer_id uuid NOT NULL UNIQUE,
        permit_id uuid NOT NULL,
        custodian text NOT NULL,
        purpose text NOT NULL,
        case_id text NOT NULL,
        opened_for text NOT NULL,
        patient_handle text NOT NULL,
        until timestamptz(3) NOT NULL,
        key_id uuid NOT NULL REFERENCES data_key,
        state text NOT NULL CHECK (state IN ('open', 'destroyed', 'amended'))
      )`);
    await runner.query('CREATE INDEX view_permit ON view (permit_id)');
    await runner.query('CREATE INDEX view_patient ON view (patient_handle)');
    await runner.query(`CREATE INDEX view_until ON view (until) WHERE state <> 'destroyed'`);
    await runner.query(`
      CREATE TABLE view_resource (
        view_id uuid NOT NULL REFERENCES view,
        type text NOT NULL,
        id text COLLATE "C" NOT NULL,
        body bytea NOT NULL,
        PRIMARY KEY (view_id, type, id)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    const records = ['view_resource', 'view', 'resource_version', 'resource', 'person_identifier', 'person'];
    for (const table of ['patient_link', 'proposal', 'feed_entry', 'edge_transfer', ...records, 'reject', 'message_account', 'message']) {
      await runner.query(`DROP TABLE ${table}`);
    }
  }
}

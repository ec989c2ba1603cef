import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A notary's index of a Fabric channel, built from the blocks of its own peer. */
export class FabricIndex1795226400010 implements MigrationInterface {
  readonly name = 'FabricIndex1795226400010';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE fabric_block (
        number bigint PRIMARY KEY,
        hash text NOT NULL,
        time text NOT NULL
      )`);
    await runner.query(`
      CREATE TABLE fabric_tx (
        block bigint NOT NULL REFERENCES fabric_block,
        index integer NOT NULL,
        fabric_id text NOT NULL,
        id uuid NOT NULL,
        org text COLLATE "C" NOT NULL,
        role text NOT NULL,
        fn text NOT NULL,
        args text NOT NULL,
        time text NOT NULL,
        valid boolean NOT NULL,
        code text,
        verdicts text NOT NULL,
        envelope bytea,
        PRIMARY KEY (block, index)
      )`);
    await runner.query('CREATE INDEX fabric_tx_id ON fabric_tx (id, valid, block, index)');
    await runner.query(`
      CREATE TABLE fabric_state (
        key text COLLATE "C" PRIMARY KEY,
        value bytea NOT NULL
      )`);
    await runner.query(`
      CREATE TABLE fabric_refusal (
        id uuid PRIMARY KEY,
        fn text NOT NULL,
        args text NOT NULL,
        code text NOT NULL,
        place text NOT NULL,
        time text NOT NULL,
        height bigint NOT NULL
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['fabric_refusal', 'fabric_state', 'fabric_tx', 'fabric_block']) await runner.query(`DROP TABLE ${table}`);
  }
}

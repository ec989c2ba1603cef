import type { MigrationInterface, QueryRunner } from 'typeorm';

export class OrdererTables1795226400006 implements MigrationInterface {
  readonly name = 'OrdererTables1795226400006';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE block (
        number bigint PRIMARY KEY,
        header text NOT NULL
      )`);
    await runner.query(`
      CREATE TABLE block_tx (
        block bigint NOT NULL REFERENCES block,
        index integer NOT NULL,
        id uuid NOT NULL,
        jws text NOT NULL,
        PRIMARY KEY (block, index)
      )`);
    await runner.query('CREATE INDEX block_tx_id ON block_tx (id)');
    await runner.query(`
      CREATE TABLE attestation (
        seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        block bigint NOT NULL,
        org text NOT NULL,
        digest text NOT NULL,
        jws text NOT NULL,
        UNIQUE (block, org, digest)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['attestation', 'block_tx', 'block']) await runner.query(`DROP TABLE ${table}`);
  }
}

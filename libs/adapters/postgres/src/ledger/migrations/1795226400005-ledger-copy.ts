import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A country's copy of the embedded ledger, in its notary's schema. */
export class LedgerCopy1795226400005 implements MigrationInterface {
  readonly name = 'LedgerCopy1795226400005';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE ledger_block (
        number bigint PRIMARY KEY,
        header text NOT NULL,
        results text NOT NULL,
        results_hash text NOT NULL,
        state_hash text NOT NULL
      )`);
    await runner.query(`
      CREATE TABLE ledger_tx (
        block bigint NOT NULL REFERENCES ledger_block,
        index integer NOT NULL,
        id uuid NOT NULL,
        jws text NOT NULL,
        verdicts text NOT NULL,
        PRIMARY KEY (block, index)
      )`);
    await runner.query('CREATE INDEX ledger_tx_id ON ledger_tx (id, block, index)');
    await runner.query(`
      CREATE TABLE ledger_state (
        key text COLLATE "C" PRIMARY KEY,
        value bytea NOT NULL
      )`);
    await runner.query(`
      CREATE TABLE ledger_attestation (
        block bigint NOT NULL,
        org text COLLATE "C" NOT NULL,
        digest text COLLATE "C" NOT NULL,
        jws text NOT NULL,
        PRIMARY KEY (block, org, digest)
      )`);
    await runner.query(`
      CREATE TABLE ledger_cursor (
        singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
        cursor bigint NOT NULL
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['ledger_cursor', 'ledger_attestation', 'ledger_state', 'ledger_tx', 'ledger_block'])
      await runner.query(`DROP TABLE ${table}`);
  }
}

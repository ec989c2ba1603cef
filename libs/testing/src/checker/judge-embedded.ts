import { readFile } from 'node:fs/promises';
import { adminQuery } from '@portolan/postgres';
import type { Country, EmbeddedLedger } from './checked-world.js';
import { checkCopy, checkSignatures, clockWindowOf, compareCopies } from './check-ledger.js';
import type { JudgedLedger } from './judged-ledger.js';
import { readFacts, type LedgerCopyRows } from './ledger-facts.js';
import type { Findings } from './violation.js';

/** The copies of all notaries and of the orderer: each by itself, and against the others. */
export async function judgeEmbedded(ledger: EmbeddedLedger, countries: readonly Country[], findings: Findings): Promise<JudgedLedger> {
  const copies = [...countries.map(copyOf), await ordererCopy(ledger)];
  const genesis = await readFile(ledger.genesis, 'utf8');
  for (const copy of copies) checkCopy(copy, genesis, findings);
  compareCopies(copies, findings);
  const [reference] = copies;
  if (reference === undefined) throw new Error('a world without a country');
  const facts = readFacts(reference);
  checkSignatures(reference, facts, genesis, findings);
  const texts = copies.flatMap(({ org, txs }) =>
    txs.map(({ id, jws }) => ({
      where: `${org} transaction ${id}`,
      text: Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString('utf8'),
    })),
  );
  return { facts, state: new Map(reference.state.map(({ key, value }) => [key, value])), windowSeconds: clockWindowOf(genesis), texts };
}

const copyOf = (country: Country): LedgerCopyRows => ({
  org: country.code,
  blocks: country.rows('notary.ledger_block'),
  txs: country.rows('notary.ledger_tx'),
  state: country.rows('notary.ledger_state'),
  attestations: country.rows('notary.ledger_attestation'),
});

async function ordererCopy({ orderer: { org, database, admin } }: EmbeddedLedger): Promise<LedgerCopyRows> {
  const rows = <Row>(table: string, order: string): Promise<readonly Row[]> =>
    adminQuery<Row>({ ...admin, database }, `SELECT * FROM orderer.${table} ORDER BY ${order}`);
  return {
    org,
    blocks: await rows('ledger_block', 'number'),
    txs: await rows('ledger_tx', 'block, index'),
    state: await rows('ledger_state', 'key'),
    attestations: await rows('ledger_attestation', 'block, org'),
  };
}

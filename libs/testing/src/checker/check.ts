import { readFile } from 'node:fs/promises';
import { adminQuery } from '@portolan/postgres';
import { checkCanaries } from './check-canaries.js';
import { Country, type CheckedWorld } from './checked-world.js';
import { checkChannel, checkCopy, checkNotary, compareCopies } from './check-ledger.js';
import { checkLog } from './check-log.js';
import { checkEnvelopes, checkRoleMessages } from './check-messages.js';
import { checkInput, checkPermits, checkResources, checkViews } from './check-records.js';
import { checkTransfers } from './check-transfers.js';
import { readFacts, type LedgerCopyRows } from './ledger-facts.js';
import { unsettled } from './unsettled.js';
import { Findings, type Violation } from './violation.js';

/**
 * Whether the invariants of design.md hold, read from outside: databases, inboxes, ledger copies. It shares no code with the nodes, so that a
 * mistake of theirs is not repeated here. The world must be at rest; what is not is a violation too. Changes nothing.
 */
export async function check(world: CheckedWorld): Promise<readonly Violation[]> {
  const findings = new Findings();
  for (const line of await unsettled(world)) findings.demand(false, 4, line, 'is not at rest');
  const countries = await Promise.all(world.countries.map((country) => Country.read(world, country)));
  const copies = [...countries.map(copyOf), await ordererCopy(world)];
  const genesis = await readFile(world.genesis, 'utf8');
  for (const copy of copies) checkCopy(copy, genesis, findings);
  compareCopies(copies, findings);
  const [reference] = copies;
  if (reference === undefined) throw new Error('a world without a country');
  const facts = readFacts(reference);
  checkChannel(reference, facts, genesis, findings);
  checkTransfers(countries, facts, findings);
  checkEnvelopes(countries, findings);
  for (const country of countries) {
    checkNotary(country, facts, findings);
    checkRoleMessages(country, findings);
    checkLog(country, facts, findings);
    checkInput(country, findings);
    checkResources(country, findings);
    checkViews(country, facts, Date.now(), findings);
    checkPermits(country, facts, findings);
  }
  await checkCanaries(world, copies, findings);
  return findings.violations;
}

const copyOf = (country: Country): LedgerCopyRows => ({
  org: country.code,
  blocks: country.rows('notary.ledger_block'),
  txs: country.rows('notary.ledger_tx'),
  state: country.rows('notary.ledger_state'),
  attestations: country.rows('notary.ledger_attestation'),
});

async function ordererCopy({ admin, orderer }: CheckedWorld): Promise<LedgerCopyRows> {
  const rows = <Row>(table: string, order: string): Promise<readonly Row[]> =>
    adminQuery<Row>({ ...admin, database: orderer.database }, `SELECT * FROM orderer.${table} ORDER BY ${order}`);
  return {
    org: orderer.org,
    blocks: await rows('ledger_block', 'number'),
    txs: await rows('ledger_tx', 'block, index'),
    state: await rows('ledger_state', 'key'),
    attestations: await rows('ledger_attestation', 'block, org'),
  };
}

import { adminQuery } from '@portolan/postgres';
import type { CheckedWorld } from './checked-world.js';
import type { LedgerCopyRows } from './ledger-facts.js';
import type { Findings } from './violation.js';

/** Invariant 2 and 12: what was sent in about a person stands nowhere on the ledger, and nowhere in a notary's or the orderer's schema. */
export async function checkCanaries(world: CheckedWorld, copies: readonly LedgerCopyRows[], findings: Findings): Promise<void> {
  if (world.canaries.length === 0) return;
  for (const copy of copies) {
    const payloads = copy.txs.map(({ id, jws }) => ({ id, text: Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString('utf8') }));
    for (const { id, text } of payloads) look(world.canaries, text, `${copy.org} transaction ${id}`, findings);
  }
  const places = [
    ...world.countries.map(({ code, database }) => ({ code, database, schema: 'notary' })),
    { code: world.orderer.org, database: world.orderer.database, schema: 'orderer' },
  ];
  for (const { code, database, schema } of places) {
    const address = { ...world.admin, database };
    const tables = await adminQuery<{ name: string }>(
      address,
      'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = $1',
      [schema],
    );
    for (const { name } of tables) {
      const rows = await adminQuery<{ text: string; bytes: string | null }>(address, `SELECT t::text AS text FROM ${schema}.${name} t`);
      for (const { text } of rows) look(world.canaries, readable(text), `${code} ${schema}.${name}`, findings);
    }
  }
}

/** A row's text, with its bytea values (`\x…`) spelt out as text too. */
function readable(text: string): string {
  const spelt = [...text.matchAll(/\\x([0-9a-f]+)/g)].map(([, hex]) => Buffer.from(hex ?? '', 'hex').toString('utf8'));
  return [text, ...spelt].join('\n');
}

function look(canaries: readonly string[], text: string, where: string, findings: Findings): void {
  for (const [number, canary] of canaries.entries()) findings.demand(!text.includes(canary), 12, where, `holds canary ${number + 1}`);
}

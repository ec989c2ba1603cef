import { adminQuery } from '@portolan/postgres';
import type { CheckedWorld } from './checked-world.js';
import type { JudgedLedger } from './judged-ledger.js';
import type { Findings } from './violation.js';

/** Invariant 2 and 12: what was sent in about a person stands nowhere on the ledger, and nowhere in a notary's or the orderer's schema. */
export async function checkCanaries(world: CheckedWorld, texts: JudgedLedger['texts'], findings: Findings): Promise<void> {
  if (world.canaries.length === 0) return;
  for (const { where, text } of texts) look(world.canaries, text, where, findings);
  const { ledger } = world;
  const places = [
    ...world.countries.map((country) => ({ ...country, schema: 'notary' })),
    ...(ledger.kind === 'embedded' ? [{ ...ledger.orderer, code: ledger.orderer.org, schema: 'orderer' }] : []),
  ];
  for (const { code, database, admin, schema } of places) {
    const address = { ...admin, database };
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

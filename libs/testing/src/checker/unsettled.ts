import { adminQuery, type DatabaseAddress } from '@portolan/postgres';
import type { CheckedWorld } from './checked-world.js';

interface Waiting {
  readonly what: string;
  readonly count: string;
  readonly code: string | null;
}

const FINAL = `('answered', 'closed', 'refused', 'expired', 'done', 'matched', 'none', 'failed')`;

/** What a country's rows say is still on its way, with the codes that hold it up. */
const ON_THE_WAY = `
  SELECT 'transfer ' || side || ' ' || state AS what, count(*) AS count, string_agg(DISTINCT code, ' ') AS code FROM exchange.transfer WHERE state NOT IN ${FINAL} GROUP BY 1
  UNION ALL SELECT 'envelope to ' || recipient, count(*), string_agg(DISTINCT code, ' ') FROM exchange.outgoing WHERE state = 'waiting' GROUP BY 1
  UNION ALL SELECT 'envelope from ' || sender, count(*), string_agg(DISTINCT code, ' ') FROM exchange.incoming WHERE state = 'waiting' GROUP BY 1
  UNION ALL SELECT 'edge message ' || type, count(*), string_agg(DISTINCT code, ' ') FROM edge.outbox WHERE state <> 'delivered' GROUP BY 1
  UNION ALL SELECT 'exchange message ' || type, count(*), string_agg(DISTINCT code, ' ') FROM exchange.outbox WHERE state <> 'delivered' GROUP BY 1
  UNION ALL SELECT 'notary message ' || type, count(*), string_agg(DISTINCT code, ' ') FROM notary.outbox WHERE state <> 'delivered' GROUP BY 1
  UNION ALL SELECT 'request at the edge', count(*), NULL FROM edge.edge_transfer WHERE state = 'asked' GROUP BY 1
  UNION ALL SELECT 'act ' || fn, count(*), string_agg(DISTINCT code, ' ') FROM notary.act WHERE state IN ('pending', 'submitted') GROUP BY 1
  UNION ALL SELECT 'step ' || step, count(*), string_agg(DISTINCT code, ' ') FROM notary.step WHERE state IN ('pending', 'batched') GROUP BY 1
  UNION ALL SELECT 'batch', count(*), NULL FROM notary.batch WHERE state = 'open' GROUP BY 1
  UNION ALL SELECT 'batch without head', count(*), NULL FROM notary.batch WHERE state = 'committed' AND head IS NULL GROUP BY 1
  UNION ALL SELECT 'head', count(*), NULL FROM notary.head WHERE state = 'open' GROUP BY 1
  UNION ALL SELECT 'event outside the log', count(*), NULL FROM notary.log_queue WHERE NOT appended GROUP BY 1
  UNION ALL SELECT 'leaf under no head', count(*), NULL FROM notary.log_leaf
    WHERE index >= coalesce((SELECT max(size) FROM notary.head WHERE state = 'committed'), 0) GROUP BY 1`;

const HEIGHT = `
  SELECT coalesce((SELECT max(number)::text FROM notary.ledger_block), 'nothing') AS copied,
    coalesce((SELECT block::text FROM notary.trail_checkpoint), 'nothing') AS indexed`;

/** What is not at rest yet, one line each; empty where the world is quiet. */
export async function unsettled(world: CheckedWorld): Promise<string[]> {
  const orderer = { ...world.admin, database: world.orderer.database };
  const [ordered] = await adminQuery<{ height: string }>(
    orderer,
    `SELECT coalesce(max(number)::text, 'nothing') AS height FROM orderer.block`,
  );
  const lines = world.countries.map(({ code, database }) => unsettledIn(code, { ...world.admin, database }, ordered?.height));
  return (await Promise.all(lines)).flat();
}

async function unsettledIn(country: string, address: DatabaseAddress, ordered: string | undefined): Promise<string[]> {
  const waiting = await adminQuery<Waiting>(address, ON_THE_WAY);
  const [at] = await adminQuery<{ copied: string; indexed: string }>(address, HEIGHT);
  const heights = `ledger copy at ${at?.copied ?? ''}, its trail at ${at?.indexed ?? ''}, ordered ${ordered ?? ''}`;
  const behind = at?.copied !== ordered || at?.indexed !== ordered;
  const lines = [
    ...waiting.map(({ what, count, code }) => `${what}: ${count}${code === null ? '' : ` (${code})`}`),
    ...(behind ? [heights] : []),
  ];
  return lines.map((line) => `${country} ${line}`);
}

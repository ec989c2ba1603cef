import { adminQuery, type DatabaseAddress } from '@portolan/postgres';
import type { CheckedWorld, EmbeddedLedger } from './checked-world.js';

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

const HEIGHT = {
  embedded: 'SELECT max(number)::text AS copied, (SELECT block::text FROM notary.trail_checkpoint) AS indexed FROM notary.ledger_block',
  fabric: 'SELECT max(number)::text AS copied, (SELECT block::text FROM notary.trail_checkpoint) AS indexed FROM notary.fabric_block',
} as const;

interface Heights {
  readonly copied: string | null;
  readonly indexed: string | null;
}
interface Sent {
  readonly id: string;
  readonly recipient: string;
}

/** What is not at rest yet, one line each; empty where the world is quiet. */
export async function unsettled(world: CheckedWorld): Promise<string[]> {
  const waiting = await Promise.all(world.countries.map((country) => waitingIn(country)));
  const lines = [...waiting, await onTheLine(world), await behind(world)].flat();
  return lines;
}

const addressOf = ({ admin, database }: CheckedWorld['countries'][number]): DatabaseAddress => ({ ...admin, database });

async function waitingIn(country: CheckedWorld['countries'][number]): Promise<string[]> {
  const waiting = await adminQuery<Waiting>(addressOf(country), ON_THE_WAY);
  return waiting.map(({ what, count, code }) => `${country.code} ${what}: ${count}${code === null ? '' : ` (${code})`}`);
}

/** What was sent, and its recipient has not stored yet: a broker stands in between. */
async function onTheLine({ countries }: CheckedWorld): Promise<string[]> {
  const stored = await Promise.all(
    countries.map(async (country) => {
      const rows = await adminQuery<{ name: string }>(addressOf(country), `SELECT sender || ' ' || id AS name FROM exchange.incoming`);
      return [country.code, new Set(rows.map(({ name }) => name))] as const;
    }),
  );
  const inboxes = new Map(stored);
  const lines = await Promise.all(
    countries.map(async (country) => {
      const sent = await adminQuery<Sent>(addressOf(country), `SELECT id, recipient FROM exchange.outgoing WHERE state = 'sent'`);
      const missing = sent.filter(({ id, recipient }) => inboxes.get(recipient)?.has(`${country.code} ${id}`) === false).length;
      return missing === 0 ? [] : [`${country.code} envelopes sent and not stored: ${missing}`];
    }),
  );
  return lines.flat();
}

/** Every notary has the whole channel, and its trail too. */
async function behind({ countries, ledger }: CheckedWorld): Promise<string[]> {
  const heights = await Promise.all(
    countries.map(async (country) => {
      const [at] = await adminQuery<Heights>(addressOf(country), HEIGHT[ledger.kind]);
      return { code: country.code, copied: at?.copied ?? 'nothing', indexed: at?.indexed ?? 'nothing' };
    }),
  );
  const ordered = ledger.kind === 'embedded' ? await orderedBy(ledger) : highest(heights.map(({ copied }) => copied));
  return heights
    .filter(({ copied, indexed }) => copied !== ordered || indexed !== ordered)
    .map(({ code, copied, indexed }) => `${code} ledger copy at ${copied}, its trail at ${indexed}, ordered ${ordered}`);
}

async function orderedBy({ orderer: { admin, database } }: EmbeddedLedger): Promise<string> {
  const [found] = await adminQuery<{ height: string | null }>(
    { ...admin, database },
    `SELECT max(number)::text AS height FROM orderer.block`,
  );
  return found?.height ?? 'nothing';
}

const highest = (heights: readonly string[]): string =>
  String(Math.max(...heights.map((height) => (height === 'nothing' ? -1 : Number(height)))));

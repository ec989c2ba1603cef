import type { TrailFilter } from '@portolan/domain';
import { DataKeys } from '@portolan/domain';
import {
  fillTables,
  openAdmin,
  openNotaryDatabase,
  type AdminConnection,
  type DatabaseAddress,
  type NotaryDatabase,
} from '@portolan/postgres';
import { inBenchWorld, type BenchWorld } from './bench-world.js';
import { alternate, bounded, compared, machine, percentile, type Bench, type Measure } from './report.js';

const ROWS = 1_000_000;
const MOST_P95_MS = 100;
/** Ours may take twice as long as the statement alone: half of its rate. */
const LEAST = 0.5;
const LINES = 100;
const DAYS = 730;
const COUNTRIES = ['EE', 'PT', 'BE', 'DE', 'FI', 'SE', 'LV', 'LT', 'PL', 'AT'];
const PURPOSES = ['TREAT', 'HPAYMT', 'ETREAT'];

/** One question: a country, a month, a purpose. */
type Question = Required<Pick<TrailFilter, 'country' | 'from' | 'to' | 'purpose'>>;

/** What the notary asks its database, by hand: both ways of a country, from the newest to the oldest. */
const BOTH_WAYS = ['sender = $1', 'recipient = $1 AND sender <> $1']
  .map(
    (way) =>
      `(SELECT * FROM notary.trail_step WHERE ${way} AND at >= $2 AND at < $3 AND purpose = $4 ORDER BY at DESC, block DESC, position DESC LIMIT ${LINES})`,
  )
  .join(' UNION ALL ');
const SQL = `SELECT * FROM (${BOTH_WAYS}) s ORDER BY at DESC, block DESC, position DESC LIMIT ${LINES}`;

/** No body is read here. */
class NoKeys extends DataKeys {
  override create = (): never => this.none();
  override encrypt = (): never => this.none();
  override decrypt = (): never => this.none();
  private none(): never {
    throw new Error('the trail has no bodies');
  }
}

/** A regulator's question over a million indexed steps, by country, time and purpose: over HTTP as she asks it, and at the notary against its statement alone. */
export const trailBench: Bench = {
  name: 'trail',
  description: 'a regulator’s question on a million steps, against the same SQL',
  async run(say, { quick = false, rounds = quick ? 1 : 7 } = {}) {
    const began = machine();
    const rows = quick ? 20_000 : ROWS;
    const each = quick ? 5 : 100;
    // The regulator's question meets neither broker nor channel: what is asked is PostgreSQL, the same on both columns.
    const measures = await inBenchWorld({ say, quick: true }, async (world) => {
      const admin = { ...world.world.database('EE'), database: world.world.country('EE').config.database.name };
      say(`${rows} steps are put into EE’s trail`);
      await fillTables(admin, 'notary', rows, ['trail_step']);
      return inDatabases(admin, async (sql, notary) => measuresOf({ world, sql, notary, each, rounds, say }));
    });
    const load = `${rows} steps of ${COUNTRIES.length} countries over ${DAYS} days; a country, 30 days and a purpose at random, ${LINES} lines; ${rounds} rounds of ${each} one after the other`;
    return { name: 'trail', machine: began, load, measures };
  },
};

async function inDatabases<T>(admin: DatabaseAddress, work: (sql: AdminConnection, notary: NotaryDatabase) => Promise<T>): Promise<T> {
  const sql = await openAdmin(admin);
  const notary = await openNotaryDatabase({ address: admin }, new NoKeys());
  try {
    return await work(sql, notary);
  } finally {
    await notary.close();
    await sql.close();
  }
}

interface Asked {
  readonly world: BenchWorld;
  readonly sql: AdminConnection;
  readonly notary: NotaryDatabase;
  readonly each: number;
  readonly rounds: number;
  readonly say: (line: string) => void;
}

async function measuresOf({ world, sql, notary, each, rounds, say }: Asked): Promise<Measure[]> {
  const bySql = ({ country, from, to, purpose }: Question): Promise<readonly unknown[]> => sql.query(SQL, [country, from, to, purpose]);
  const byNotary = (question: Question): Promise<readonly unknown[]> => notary.uow.run((tx) => tx.trail.steps(question, LINES));
  await proved(bySql, byNotary);
  const statement = await alternate('the notary’s page', 'questions/s', {
    ours: async () => rateOfAll(byNotary, each),
    peer: async () => rateOfAll(bySql, each),
    goal: LEAST,
    rounds,
  });
  say(`${statement.what}: ${statement.value} against ${statement.peer} ${statement.unit}, ${statement.ratio} ×`);
  const overHttp: number[][] = [];
  const alone: number[][] = [];
  for (let round = 0; round < rounds; round += 1) {
    const byHttp = await asker(world);
    const [ours, peer] = [await timesOf(byHttp, each), await timesOf(bySql, each)];
    overHttp.push(ours);
    alone.push(peer);
    say(
      `round ${round + 1}: p95 ${percentile(ours, 95).toFixed(1)} ms over HTTP, ${percentile(peer, 95).toFixed(1)} ms the statement alone`,
    );
  }
  const at = (times: readonly number[][], percent: number): number[] => times.map((one) => percentile(one, percent));
  const rates = (times: readonly number[][]): number[] => times.map((one) => 1000 / percentile(one, 50));
  return [
    bounded('a question over HTTP, p95', 'ms', at(overHttp, 95), { below: MOST_P95_MS }),
    statement,
    compared('a question over HTTP', 'questions/s', { ours: rates(overHttp), peer: rates(alone), goal: LEAST }),
  ];
}

/** Both give the same lines, else nothing is measured. */
async function proved(...ways: readonly ((question: Question) => Promise<readonly unknown[]>)[]): Promise<void> {
  const question = { country: 'PT', from: '2000-01-01T00:00:00.000Z', to: '2100-01-01T00:00:00.000Z', purpose: 'TREAT' };
  const answers = await Promise.all(ways.map(async (way) => way(question)));
  const leaves = new Set(answers.map((lines) => JSON.stringify(lines.map((line) => (line as { leaf: string }).leaf))));
  if (leaves.size !== 1 || answers[0]?.length !== LINES) throw new Error('the notary and the statement alone do not answer alike');
}

/** A regulator who has just logged in: a token holds for five minutes, longer than a round lasts. */
async function asker(world: BenchWorld): Promise<(question: Question) => Promise<unknown>> {
  const client = world.at('EE');
  const token = await client.login('regulator');
  return async (question) => {
    const answer = await client.call(`/regulator/trail?${new URLSearchParams({ ...question, limit: String(LINES) }).toString()}`, {
      token,
    });
    if (answer.status !== 200) throw new Error(`the trail is not shown: ${answer.status} ${answer.text.slice(0, 300)}`);
    return answer.json<unknown>();
  };
}

/** Each question is another one: nothing is asked twice in a row. */
function atRandom(): Question {
  const one = (values: readonly string[]): string => values[Math.floor(Math.random() * values.length)] ?? '';
  const from = Date.now() - Math.random() * DAYS * 86_400_000;
  const to = from + 30 * 86_400_000;
  return { country: one(COUNTRIES), from: new Date(from).toISOString(), to: new Date(to).toISOString(), purpose: one(PURPOSES) };
}

async function timesOf(ask: (question: Question) => Promise<unknown>, count: number): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i += 1) {
    const began = performance.now();
    await ask(atRandom());
    times.push(performance.now() - began);
  }
  return times;
}

async function rateOfAll(ask: (question: Question) => Promise<unknown>, count: number): Promise<number> {
  const times = await timesOf(ask, count);
  return (1000 * count) / times.reduce((sum, one) => sum + one, 0);
}

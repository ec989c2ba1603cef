import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { UnitOfWork, type ExchangeTx } from '@portolan/domain';
import { plainJose } from '@portolan/jose';
import { ID_HEADER, WRITER_LIMITS, type PlainProducer, type TopicRecord } from '@portolan/kafka';
import { Courier } from '@portolan/nest';
import { adminQuery } from '@portolan/postgres';
import { cpuMillisEach, cpuSeconds } from './cpu.js';
import { FROM, onPublishGround, TO, type PublishGround } from './publish-ground.js';
import { alternate, machine, noted, type Bench, type Measure } from './report.js';
import { newVault } from './seal.bench.js';

/** KB of a sealed body, and how many of them are one round. */
const sizes = [
  { kb: 1, count: 20_000 },
  { kb: 8, count: 8_000 },
  { kb: 50, count: 2_000 },
] as const;
const BATCHED = 0.6;
const ONE_BY_ONE = 8;
/** Bodies of one size that differ; a round's rows have them in turns. */
const BODIES = 32;
const ROUND_WITHIN_MS = 120_000;

interface Load {
  readonly ground: PublishGround;
  readonly records: readonly TopicRecord[];
  readonly plain: PlainProducer;
  readonly rounds: number;
}

/** The exchange's courier, from sealed rows in its database to their marks, against the client alone with the same bytes in memory. */
export const publishBench: Bench = {
  name: 'publish',
  description: 'sealed envelopes from the database to a partner’s broker and marked, against the raw client',
  async run(say, { quick = false, rounds = quick ? 1 : 7, client = 'kafkajs' } = {}) {
    const began = machine();
    const measures = await onPublishGround(client, say, async (ground) => {
      const plain = await ground.plain();
      try {
        const all: Measure[] = [];
        const loads: (Load & { readonly kb: number })[] = [];
        for (const { kb, count } of quick ? sizes.slice(0, 1) : sizes)
          loads.push({ kb, ground, records: await sealedRecords(kb, quick ? 600 : count), plain, rounds });
        for (const each of loads) await proved(each);
        for (const each of loads) {
          for (const measure of await measuresOf(each.kb, each)) {
            say(`${measure.what}: ${measure.value} against ${measure.peer} ${measure.unit}, ${measure.ratio} ×`);
            all.push(measure);
          }
        }
        return all;
      } finally {
        await plain.close();
      }
    });
    const most = `${WRITER_LIMITS.maxBatchRecords} records or ${WRITER_LIMITS.maxBatchBytes / 1e6} MB`;
    const load = `sealed bodies of ${sizes.map(({ kb }) => kb).join(', ')} KB; ours: rows of a flushed PostgreSQL, sent and marked; peer: ${client}, the same bytes in memory, batches of ${most}; mutual TLS, idempotent, acks=all; ${rounds} rounds in turns`;
    return { name: 'publish', machine: began, load, measures };
  },
};

async function measuresOf(kb: number, load: Load): Promise<Measure[]> {
  const { ground, records, plain, rounds } = load;
  const spent: (readonly (readonly [string, number])[])[] = [];
  const ours = async (): Promise<number> => {
    await fill(ground, records);
    const before = await cpuSeconds(ground.folder);
    const rate = await relayed(ground, records);
    spent.push(cpuMillisEach(before, await cpuSeconds(ground.folder), records.length));
    return rate;
  };
  const batched = await alternate(`${kb} KB against batched`, 'messages/s', {
    ours,
    peer: () => rateOf(records.length, () => inBatches(plain, records)),
    goal: BATCHED,
    rounds,
  });
  const users = [...new Set(spent.flatMap((round) => round.map(([user]) => user)))];
  const shares = users.map((user) => spent.slice(1).map((round) => 1_000 * (round.find(([one]) => one === user)?.[1] ?? 0)));
  const cpu = users.map((user, i) => noted(`${kb} KB, processor of ${user}`, 'µs/message', shares[i] ?? []));
  return [batched, ...cpu, ...(kb === 1 ? [await againstOneByOne(load)] : [])];
}

function againstOneByOne({ ground, records, plain, rounds }: Load): Promise<Measure> {
  const few = records.slice(0, Math.ceil(records.length / 10));
  return alternate('1 KB against one by one', 'messages/s', {
    ours: async () => {
      await fill(ground, records);
      return relayed(ground, records);
    },
    peer: () =>
      rateOf(few.length, async () => {
        for (const record of few) await plain.send([record]);
      }),
    goal: ONE_BY_ONE,
    rounds: Math.max(1, Math.ceil(rounds / 2)),
  });
}

async function rateOf(count: number, work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return (count * 1_000) / (performance.now() - start);
}

async function inBatches(plain: PlainProducer, records: readonly TopicRecord[]): Promise<void> {
  const { maxBatchRecords, maxBatchBytes } = WRITER_LIMITS;
  for (let at = 0; at < records.length;) {
    const size = (records[at]?.value?.length ?? 0) + 200;
    const batch = records.slice(at, at + Math.max(1, Math.min(maxBatchRecords, Math.floor(maxBatchBytes / size))));
    await plain.send(batch);
    at += batch.length;
  }
}

/** Rows that wait, a courier that begins, and the moment in which the mark of the last one is committed. */
async function relayed(ground: PublishGround, records: readonly TopicRecord[]): Promise<number> {
  const marked = new MarkedWork(ground.database.uow);
  const complaints: string[] = [];
  const logger = {
    failure: (message: string, code: string) => void complaints.push(`${code}: ${message}`),
  } as unknown as ConstructorParameters<typeof Courier>[2];
  const courier = new Courier(marked, ground.link, logger, ground.database.wakeups, 20_000);
  try {
    return await rateOf(records.length, async () => {
      courier.start();
      await marked.reaches(records.length);
    });
  } finally {
    await courier.stop();
    if (complaints.length > 0) throw new Error(`the courier complains: ${complaints[0] ?? ''}`);
  }
}

/** Counts the marks that were committed. */
class MarkedWork extends UnitOfWork<ExchangeTx> {
  private marked = 0;
  private readonly reached = Promise.withResolvers<undefined>();
  private wanted = Infinity;

  constructor(private readonly inner: UnitOfWork<ExchangeTx>) {
    super();
  }

  override async run<T>(work: (tx: ExchangeTx) => Promise<T>): Promise<T> {
    let marks = 0;
    const result = await this.inner.run((tx) => {
      marks = 0;
      const sent = async (ids: readonly string[]): Promise<void> => {
        marks += ids.length;
        await tx.outgoing.sent(ids);
      };
      return work({ ...tx, outgoing: Object.assign(Object.create(tx.outgoing) as ExchangeTx['outgoing'], { sent }) });
    });
    this.marked += marks;
    if (this.marked >= this.wanted) this.reached.resolve(undefined);
    return result;
  }

  async reaches(count: number): Promise<void> {
    this.wanted = count;
    const late = pause(ROUND_WITHIN_MS, undefined, { ref: false }).then(() => {
      throw new Error(`${this.marked} of ${count} were marked in time`);
    });
    await Promise.race([this.reached.promise, late]);
  }
}

async function fill({ admin }: PublishGround, records: readonly TopicRecord[]): Promise<void> {
  await adminQuery(admin, 'TRUNCATE exchange.outgoing');
  const bodies = [...new Set(records.map(({ value }) => value))];
  await adminQuery(
    admin,
    `INSERT INTO exchange.outgoing (id, recipient, key, body, next_at)
     SELECT r.id, $1, r.key, b.body, clock_timestamp()
     FROM unnest($2::text[], $3::text[], $4::integer[]) WITH ORDINALITY r (id, key, n, at)
       JOIN unnest($5::bytea[]) WITH ORDINALITY b (body, n) ON b.n = r.n ORDER BY r.at`,
    [
      TO,
      records.map(({ headers }) => headers[ID_HEADER]),
      records.map(({ key }) => key),
      records.map(({ value }) => bodies.indexOf(value) + 1),
      bodies,
    ],
  );
}

/** What the courier takes is at the partner's broker, each id and its row marked: else nothing is measured. */
async function proved({ ground, records }: Load): Promise<void> {
  const some = records.slice(0, 500);
  await ground.reading(async (taken) => {
    await fill(ground, some);
    await relayed(ground, some);
    const [row] = await adminQuery<{ marked: number }>(
      ground.admin,
      `SELECT count(*)::integer AS marked FROM exchange.outgoing WHERE state = 'sent' AND ended_at IS NOT NULL`,
    );
    if (row?.marked !== some.length) throw new Error(`${row?.marked ?? 0} of ${some.length} rows are marked`);
    const until = performance.now() + 30_000;
    while (!some.every(({ headers }) => taken.has(String(headers[ID_HEADER])))) {
      if (performance.now() > until) throw new Error(`not all of ${some.length} came to ${TO}: ${taken.size}`);
      await pause(20);
    }
  });
}

/** As the exchange seals them: JWS in JWE, of about so many KB when sealed. */
async function sealedRecords(kb: number, count: number): Promise<readonly TopicRecord[]> {
  const transferId = randomUUID();
  const keys = { sign: await newVault('sign'), seal: await newVault('seal') };
  const jose = await plainJose({ kind: 'record', transferId, from: FROM, to: TO, n: 1, of: 1 }, keys);
  const overhead = (await jose.seal(new Uint8Array(1))).length;
  // Base64url twice: four bytes for three, and again.
  const content = Math.max(1, Math.floor(((kb * 1_024 - overhead) * 9) / 16));
  const bodies: Buffer[] = [];
  for (let i = 0; i < BODIES; i += 1) bodies.push(Buffer.from(await jose.seal(new Uint8Array(randomBytes(content)))));
  return Array.from({ length: count }, (_, i) => ({
    key: randomUUID(),
    value: bodies[i % BODIES] ?? null,
    headers: { [ID_HEADER]: `${randomUUID()}.1` },
  }));
}

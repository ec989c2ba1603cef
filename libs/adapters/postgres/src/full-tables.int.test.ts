import { createHash } from 'node:crypto';
import { DataKeys, type EdgeTx, type ExchangeTx, type NotaryTx, type PersonId, type RoleTx, type TransferId } from '@portolan/domain';
import type { SearchClause, SearchQuery, SortKey } from '@portolan/domain';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import type { DatabaseAddress } from './connect/address.js';
import type { Statement } from './connect/pipeline.js';
import { Pipeline } from './connect/pipeline.js';
import type { RoleDatabase } from './connect/role-database.js';
import { openEdgeDatabase } from './edge/open-edge-database.js';
import { openExchangeDatabase } from './exchange/open-exchange-database.js';
import { openNotaryDatabase, type NotaryDatabase } from './notary/open-notary-database.js';
import type { CountryDatabase } from './provision/provision.js';
import { explain, type Plan } from './test-support/explain.js';
import { fillTables } from './test-support/full-tables.js';
import { testCluster } from './test-support/test-cluster.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** How many rows the tables have. */
    rows: number;
  }
}

const rows = inject('rows');
/** More than these are put only into the tables that grow with each record that crosses, and the plans are told. */
const MANY = 20_000;
const BIG = {
  edge: ['audit_event', 'resource', 'resource_version', 'search_value'],
  exchange: ['transfer', 'outgoing', 'outbox'],
  notary: ['step', 'trail_step'],
};
/** A page. */
const LIMIT = 100;
/**
 * Rows that a page or a take may look at, those that do not fit included: of ten countries one has a tenth, and each row may stand in an index
 * and in a table. A search counts no further than to 1,000 and one more.
 */
const MOST = 20 * LIMIT + 2;

/** Opens everything to an empty document: rows were filled in with bytes that no key has sealed. */
class OpenKeys extends DataKeys {
  override create = async (): Promise<Uint8Array> => new Uint8Array(32);
  override encrypt = async (_: Uint8Array, plaintext: Uint8Array): Promise<Uint8Array> => plaintext;
  override decrypt = async (): Promise<Uint8Array> => new TextEncoder().encode('{}');
}

/** The id that fillTables gives, as PostgreSQL makes it: md5 of a text. */
function filled(of: string, n: number): string {
  const hash = createHash('md5').update(`${of}${n}`).digest('hex');
  return [hash.slice(0, 8), hash.slice(8, 12), hash.slice(12, 16), hash.slice(16, 20), hash.slice(20)].join('-');
}

const ago = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString();
const middle = Math.trunc(rows / 2);
const person = filled('person', Math.trunc(middle / 20)) as PersonId;
const transfer = filled('row', middle) as TransferId;

type Exercise<Tx> = readonly [what: string, work: (tx: Tx) => Promise<unknown>];

const ofRole: readonly Exercise<RoleTx>[] = [
  ['outbox: next', (tx) => tx.outbox.take(LIMIT, 0)],
  ['outbox: dead', (tx) => tx.outbox.dead(LIMIT)],
  ['outbox: purge', (tx) => tx.outbox.purge(86_400_000, LIMIT, FENCING)],
  ['outbox: undelivered', (tx) => tx.outbox.undelivered([filled('row', 1), filled('row', middle)], 'edge')],
  ['inbox: old', (tx) => tx.inbox.old(86_400_000, LIMIT)],
  ['inbox: old, second page', (tx) => tx.inbox.old(86_400_000, LIMIT, { id: filled('row', middle), at: ago(300) })],
  ['audit: newest', (tx) => tx.audit.list({}, LIMIT)],
  ['audit: a page', (tx) => tx.audit.list({}, LIMIT, String(middle))],
  ['audit: of a person', (tx) => tx.audit.list({ person }, LIMIT)],
  ['audit: of a transfer', (tx) => tx.audit.list({ transferId: transfer }, LIMIT)],
  ['audit: of a kind', (tx) => tx.audit.list({ type: 'Encounter' }, LIMIT)],
  ['audit: of a kind that never was', (tx) => tx.audit.list({ type: 'nothing' }, LIMIT)],
];

const ofExchange: readonly Exercise<ExchangeTx>[] = [
  ['transfers: due', (tx) => tx.transfers.take(['asked', 'answered'], LIMIT, 0)],
  ['transfers: newest', (tx) => tx.transfers.list({}, LIMIT)],
  ['transfers: of a partner', (tx) => tx.transfers.list({ partner: 'PT' }, LIMIT)],
  ['transfers: in a state that few have', (tx) => tx.transfers.list({ state: 'asked' }, LIMIT)],
  ['transfers: of a permit', (tx) => tx.transfers.byPermit(filled('permit', 7))],
  ['incoming: next', (tx) => tx.incoming.take(LIMIT, 0)],
  ['incoming: dead letters', (tx) => tx.incoming.deadLetters(LIMIT)],
  ['incoming: purge', (tx) => tx.incoming.purge(86_400_000, LIMIT, FENCING)],
  ['outgoing: next', (tx) => tx.outgoing.take({ envelopes: LIMIT }, 0)],
  ['outgoing: dead', (tx) => tx.outgoing.dead(LIMIT)],
  ['outgoing: purge', (tx) => tx.outgoing.purge(86_400_000, LIMIT, FENCING)],
  ['grounds: consents', (tx) => tx.grounds.consents(person)],
  ['grounds: restrictions', (tx) => tx.grounds.restrictions(person)],
  ['permits: of a person', (tx) => tx.permits.ofPerson(person)],
  ['emergencies: over', (tx) => tx.emergencies.overAt(ago(0), LIMIT)],
  ['emergencies: unreviewed', (tx) => tx.emergencies.unreviewed(ago(0), LIMIT)],
];

const place = { upTo: rows, at: ago(365), block: Math.trunc(middle / 10), position: 3 };
const ofNotary: readonly Exercise<NotaryTx>[] = [
  ['acts: next', (tx) => tx.acts.take(LIMIT, 0)],
  ['steps: pending', (tx) => tx.steps.pending(LIMIT)],
  ['steps: missing', (tx) => tx.steps.missing(ago(0), LIMIT)],
  ['batches: headless', (tx) => tx.batches.headless(LIMIT)],
  ['batches: last', (tx) => tx.batches.last()],
  ['batches: open', (tx) => tx.batches.open()],
  ['log: queued', (tx) => tx.log.queued(LIMIT)],
  ['log: size', (tx) => tx.log.size()],
  ['trail: newest', (tx) => tx.trail.steps({}, LIMIT)],
  ['trail: a page', (tx) => tx.trail.steps({}, LIMIT, place)],
  ['trail: a page of a country', (tx) => tx.trail.steps({ country: 'PT' }, LIMIT, place)],
  [
    'trail: a country, a month long ago, a purpose',
    (tx) => tx.trail.steps({ country: 'PT', from: ago(400), to: ago(370), purpose: 'TREAT' }, LIMIT),
  ],
  ['trail: a month long ago', (tx) => tx.trail.steps({ from: ago(400), to: ago(370) }, LIMIT)],
  ['trail: a purpose', (tx) => tx.trail.steps({ purpose: 'ETREAT' }, LIMIT, place)],
  ['trail: a purpose that never was', (tx) => tx.trail.steps({ purpose: 'PATRQT' }, LIMIT)],
  ['trail: a step', (tx) => tx.trail.steps({ step: 'expired' }, LIMIT, place)],
  ['trail: a step that never was', (tx) => tx.trail.steps({ step: 'adopted' }, LIMIT)],
  ['trail: what an organisation anchored', (tx) => tx.trail.steps({ org: 'PT' }, LIMIT, place)],
  ['trail: of a transfer', (tx) => tx.trail.steps({ transferId: filled('transfer', 12) }, LIMIT)],
  ['trail: repeated', (tx) => tx.trail.steps({ alarm: 'true' }, LIMIT)],
  ['trail: what counts of transfers', (tx) => tx.trail.counting([filled('transfer', 12), filled('transfer', 13)])],
  ['trail: leaves of a batch', (tx) => tx.trail.leaves('PT', 41)],
  ['trail: head of a batch', (tx) => tx.trail.headOf('PT', middle)],
];

const ofCopies: readonly (readonly [what: string, work: (db: NotaryDatabase) => Promise<unknown>])[] = [
  ['fabric: newest block', (db) => db.fabric.newest()],
  ['fabric: keys of a prefix', (db) => db.fabric.startingWith('key/0000001', LIMIT)],
  ['fabric: a transaction', (db) => db.fabric.find(filled('row', middle))],
  ['ledger: height', (db) => db.ledger.height()],
  ['ledger: a transaction', (db) => db.ledger.find(filled('row', middle))],
];

const byId: readonly SortKey[] = [{ param: '_id', kind: 'token', descending: false }];
const search = (clauses: readonly SearchClause[], over: Partial<SearchQuery> = {}): SearchQuery => ({
  type: 'Observation',
  clauses,
  sort: byId,
  count: LIMIT,
  after: undefined,
  include: [],
  summary: 'false',
  elements: undefined,
  total: 'none',
  self: [],
  ignored: 0,
  ...over,
});
const code: SearchClause = { kind: 'token', param: 'code', not: false, any: [{ system: 'urn:codes', code: 'c16' }] };
const subject: SearchClause = { kind: 'reference', param: 'subject', any: [{ by: 'id', type: 'Patient', id: 'r3' }] };

const ofEdge: readonly Exercise<EdgeTx>[] = [
  ['rejects: open', (tx) => tx.rejects.list('open', LIMIT)],
  ['persons: by identifier', (tx) => tx.persons.byIdentifier({ system: 't5', value: 't5' })],
  ['persons: by traits', (tx) => tx.persons.byTraits({ identifiers: [], birthDate: '1980-01-01', family: 'T5', given: undefined })],
  ['resources: history', (tx) => tx.resources.history('Condition', 'r5', LIMIT)],
  ['resources: of a person', (tx) => tx.resources.ofPerson(person, 'all', LIMIT)],
  ['statements: a new one', (tx) => tx.statements.first({ id: new Uint8Array(32), until: ago(-1) } as never)],
  ['resources: search by code', (tx) => tx.resources.search(search([code]))],
  ['resources: search by subject', (tx) => tx.resources.search(search([subject]))],
  ['resources: search by subject and code, counted', (tx) => tx.resources.search(search([subject, code], { total: 'accurate' }))],
  ['views: over', (tx) => tx.views.expired(ago(0), LIMIT)],
  ['views: by permit', (tx) => tx.views.byPermit(filled('permit', 7))],
  ['views: by patient', (tx) => tx.views.byPatient('t5')],
  ['views: showing a resource', (tx) => tx.views.showing('Condition', 'r5')],
  ['transfers: newest', (tx) => tx.transfers.list(LIMIT)],
  ['feed: of a person', (tx) => tx.feed.after(person, '0', LIMIT)],
  ['reconciliations: open', (tx) => tx.reconciliations.list({ custodian: 'PT', state: 'open', after: undefined, limit: LIMIT })],
  [
    'reconciliations: of a person',
    (tx) => tx.reconciliations.list({ custodian: 'PT', state: 'withdrawn', person, after: undefined, limit: LIMIT }),
  ],
  [
    'reconciliations: second page',
    (tx) => tx.reconciliations.list({ custodian: 'PT', state: 'withdrawn', after: filled('row', 5), limit: LIMIT }),
  ],
  ['reconciliations: unjudged of an entry', (tx) => tx.reconciliations.unjudged(['t5', 't6'])],
  ['reconciliations: entries from abroad', (tx) => tx.reconciliations.foreignOf(person, LIMIT)],
  ['reconciliations: unjudged of a person', (tx) => tx.reconciliations.unjudgedOf(person)],
  ['stays moved: of a person', (tx) => tx.stayMoves.of([person], [filled('row', 5), filled('row', 6)])],
  ['stays left: open', (tx) => tx.stayMoves.asked(undefined, LIMIT)],
  ['stays left: second page', (tx) => tx.stayMoves.asked(filled('row', 5), LIMIT)],
  ['stays left: gone', (tx) => tx.stayMoves.gone(['t5', 't6'])],
  ['proposals: of a person', (tx) => tx.proposals.ofPerson(person, LIMIT)],
  ['proposals: waiting', (tx) => tx.proposals.waitingFor('PT', undefined, LIMIT)],
  ['proposals: waiting, second page', (tx) => tx.proposals.waitingFor('PT', filled('row', 5), LIMIT)],
];

const timeout = 600_000;
let FENCING = 0;

type Ask = (this: pg.Client, ...call: readonly unknown[]) => unknown;

/** What the driver is told while `work` runs, without what opens and ends transactions. */
async function asked(work: () => Promise<unknown>): Promise<readonly Statement[]> {
  const seen: Statement[] = [];
  const driver = pg.Client.prototype as unknown as { query: Ask };
  const { query } = driver;
  const spy = vi.spyOn(driver, 'query').mockImplementation(function (this: pg.Client, ...call) {
    const [what, values] = call;
    const sent = what instanceof Pipeline ? what.statements : [{ text: String(what), values: Array.isArray(values) ? values : [] }];
    seen.push(...sent.filter(({ text }) => /^\s*(WITH|SELECT|UPDATE|DELETE)\b/i.test(text) && !text.includes('pg_notify')));
    return Reflect.apply(query, this, call);
  });
  try {
    await work();
  } finally {
    spy.mockRestore();
  }
  return seen;
}

describe(`pages and queues of tables with ${rows} rows`, () => {
  let country: CountryDatabase;
  let superuser: DatabaseAddress;
  let edge: RoleDatabase<EdgeTx>;
  let exchange: RoleDatabase<ExchangeTx>;
  let notary: NotaryDatabase;

  beforeAll(async () => {
    const cluster = await testCluster();
    country = await cluster.country('SE');
    superuser = { ...cluster.admin, database: country.edge.database };
    const keys = new OpenKeys();
    const options = { statementTimeoutMs: 120_000 };
    edge = await openEdgeDatabase({ address: country.edge, ...options }, keys);
    exchange = await openExchangeDatabase({ address: country.exchange, ...options }, keys);
    notary = await openNotaryDatabase({ address: country.notary, ...options }, keys);
    for (const [schema, big] of Object.entries(BIG)) {
      if (rows > MANY) await fillTables(superuser, schema, rows, big);
      await fillTables(superuser, schema, Math.min(rows, MANY));
    }
    for (const { leases } of [edge, exchange, notary]) FENCING = (await leases.acquire('retention', 'test', 3_600_000))!;
  }, 3_600_000);
  afterAll(async () => Promise.all([edge.close(), exchange.close(), notary.close()]));

  async function plansOf(schema: string, work: () => Promise<unknown>): Promise<readonly Plan[]> {
    const statements = await asked(work);
    expect(statements.length).toBeGreaterThan(0);
    for (const { text } of statements) expect(text).not.toMatch(/\bOFFSET\b/i);
    return explain(superuser, schema, statements);
  }

  function quick(what: string, plans: readonly Plan[]): void {
    for (const plan of plans) {
      if (rows > MANY) process.stdout.write(`${what}: ${plan.looked} rows looked at, ${plan.pages} pages, ${plan.ms.toFixed(1)} ms\n`);
      // The leases of a schema are a handful of rows.
      expect(
        plan.scanned.filter((table) => table !== 'lease'),
        `${what} reads whole tables`,
      ).toEqual([]);
      expect(plan.looked, `${what} looks at rows`).toBeLessThanOrEqual(MOST);
    }
  }

  it.each(ofRole)('each role, %s', { timeout }, async (what, work) => quick(what, await plansOf('edge', () => edge.uow.run(work))));
  it.each(ofEdge)('edge, %s', { timeout }, async (what, work) => quick(what, await plansOf('edge', () => edge.uow.run(work))));
  it.each(ofExchange)('exchange, %s', { timeout }, async (what, work) =>
    quick(what, await plansOf('exchange', () => exchange.uow.run(work))),
  );
  it.each(ofNotary)('notary, %s', { timeout }, async (what, work) => quick(what, await plansOf('notary', () => notary.uow.run(work))));
  it.each(ofCopies)('notary, %s', { timeout }, async (what, work) => quick(what, await plansOf('notary', () => work(notary))));
});

import { Client } from 'pg';
import { clientOptions, type DatabaseAddress } from '../connect/address.js';

interface Column {
  readonly name: string;
  readonly type: string;
  readonly nullable: boolean;
  readonly generated: boolean;
}

interface Table {
  readonly name: string;
  readonly columns: readonly Column[];
  /** Texts that a column's CHECK allows. */
  readonly allowed: ReadonlyMap<string, readonly string[]>;
}

/** Rows that belong together in one way or another: so many have the same person, transfer, permit, batch. */
const ALIKE = 20;
/** One row in so many is in a state that somebody waits for; the rest has served. */
const SERVED = 500;
/** The state that most rows of a table end in. */
const LAST: Readonly<Record<string, string>> = {
  outbox: 'delivered',
  incoming: 'done',
  outgoing: 'sent',
  act: 'committed',
  step: 'accepted',
  batch: 'committed',
  head: 'committed',
  view: 'destroyed',
  emergency: 'reviewed',
};
const COUNTRIES = `(ARRAY['EE','PT','BE','DE','FI','SE','LV','LT','PL','AT'])`;
const TYPES = `(ARRAY['Observation','Condition','Encounter','Patient'])`;
const place = (values: string, number = 'i'): string => `${values}[1 + (${number}) % array_length(${values}, 1)]`;
const id = (of: string, by = 1): string => `md5('${of}' || (i / ${by}))::uuid`;

/**
 * Fills every table of a schema with `rows` rows that look like those of a node which has run for years: nearly all of them served, twenty to a
 * person, spread over ten countries and two years. Reads the tables from the catalogue, so that a new one is filled, too. As a superuser:
 * foreign keys are not looked at. Tables of one row and migrations stay as they are.
 */
export async function fillTables(admin: DatabaseAddress, schema: string, rows: number, only?: readonly string[]): Promise<void> {
  const client = new Client(clientOptions(admin));
  await client.connect();
  try {
    await client.query(`SET search_path = ${schema}`);
    await client.query(`SET session_replication_role = replica`);
    for (const table of await tablesOf(client, schema)) {
      if (only === undefined || only.includes(table.name)) await client.query(fillSql(table), [rows]);
    }
    await client.query('ANALYZE');
  } finally {
    await client.end();
  }
}

async function tablesOf(client: Client, schema: string): Promise<readonly Table[]> {
  const { rows } = await client.query<{ table: string; columns: Column[]; checks: string[] }>(
    `SELECT c.relname AS table,
       (SELECT json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, NULL), 'nullable', NOT a.attnotnull,
          'generated', a.attidentity <> '') ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
       (SELECT coalesce(json_agg(pg_get_constraintdef(k.oid)), '[]') FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'c') AS checks
     FROM pg_class c WHERE c.relnamespace = $1::regnamespace AND c.relkind = 'r' AND c.relname NOT IN ('migration', 'lease')`,
    [schema],
  );
  return rows
    .filter(({ columns }) => !columns.some(({ name }) => name === 'singleton'))
    .map(({ table, columns, checks }) => ({ name: table, columns, allowed: new Map(checks.flatMap(allowedBy)) }));
}

/** `CHECK ((state = ANY (ARRAY['a'::text, 'b'::text])))` → state: a, b. */
function allowedBy(check: string): readonly [string, readonly string[]][] {
  const [, column, list] = /\(\(?(\w+) = ANY \(ARRAY\[(.+?)\]/.exec(check) ?? [];
  if (column === undefined || list === undefined) return [];
  return [[column, [...list.matchAll(/'([^']+)'::text/g)].flatMap(([, text]) => text ?? [])]];
}

function fillSql(table: Table): string {
  const columns = table.columns.filter(({ generated }) => !generated);
  const values = columns.map((column) => valueOf(table, column));
  const names = columns.map(({ name }) => `"${name}"`).join(', ');
  return `INSERT INTO ${table.name} (${names}) SELECT ${values.join(', ')} FROM generate_series(1, $1::bigint) AS i ON CONFLICT DO NOTHING`;
}

/** By table and column first, then by the column's name, then by its type. */
function valueOf({ name: table, allowed }: Table, { name, type, nullable }: Column): string {
  const own = OWN[`${table}.${name}`] ?? NAMED[name];
  if (own !== undefined) return own;
  const texts = allowed.get(name);
  if (texts !== undefined) return stateOf(texts, LAST[table]);
  return TYPED[type] ?? (nullable ? 'NULL' : `'{}'::${type}`);
}

function stateOf(texts: readonly string[], last = texts.at(-1) ?? ''): string {
  const list = `(ARRAY[${texts.map((text) => `'${text}'`).join(', ')}])`;
  return `CASE WHEN i % ${SERVED} < ${texts.length} THEN ${list}[1 + i % ${SERVED}] ELSE '${last}' END`;
}

const served = (waiting: string): string => `CASE WHEN i % ${SERVED} < 2 THEN ${waiting} END`;
const time = `now() - (($1 - i) * (interval '730 days' / $1))`;

const OWN: Readonly<Record<string, string>> = {
  'resource.id': `'r' || i`,
  'resource_version.id': `'r' || i`,
  'stay_left.encounter': `'r' || i`,
  'search_value.resource_id': `'r' || i / 4`,
  'search_value.type': place(TYPES, 'i / 4'),
  'search_value.kind': `(ARRAY['token','date','string','reference'])[1 + i % 4]`,
  'search_value.param': `(ARRAY['code','date','name','subject'])[1 + i % 4]`,
  'search_value.code': `'c' || i % 5000`,
  'search_value.system': `'urn:codes'`,
  'search_value.ref_id': `'r' || i % 50000`,
  'search_value.ref_type': `'Patient'`,
  'trail_step.step': `(ARRAY['released','received','released','received','released','expired'])[1 + i % 6]`,
  'trail_step.org': `CASE WHEN i % 2 = 0 THEN ${place(COUNTRIES)} ELSE ${place(COUNTRIES, 'i * 3 + 1')} END`,
  'trail_step.alarm': served(`'ledger.end-repeated'`),
  'trail_step.block': 'i / 10',
  'trail_step.position': '(i % 10)::integer',
  'trail_step.transfer_id': id('transfer', 2),
  'trail_head.from_batch': 'i * 10',
  'trail_head.to_batch': 'i * 10 + 9',
  'batch.state': `CASE WHEN i = $1 THEN 'open' ELSE 'committed' END`,
  'head.state': `CASE WHEN i = $1 THEN 'open' ELSE 'committed' END`,
  'batch.head': `CASE WHEN i % ${SERVED} > 1 THEN i END`,
  'log_queue.appended': `i % ${SERVED} > 1`,
  'data_key.main': `i % ${ALIKE} = 0`,
  'data_key.destroyed_at': 'NULL',
  'data_key.id': id('key'),
  'key_owner.person': id('person'),
  'key_owner.erased_at': 'NULL',
  'person.id': id('person'),
  'fabric_state.key': `'key/' || lpad(i::text, 12, '0')`,
  'ledger_state.key': `'key/' || lpad(i::text, 12, '0')`,
};

const NAMED: Readonly<Record<string, string>> = {
  person: id('person', ALIKE),
  permit_id: id('permit', ALIKE),
  key_id: id('key'),
  sender: place(COUNTRIES),
  recipient: place(COUNTRIES, 'i * 3 + 1'),
  partner: place(COUNTRIES),
  org: place(COUNTRIES),
  custodian: place(COUNTRIES),
  purpose: place(`(ARRAY['TREAT','TREAT','TREAT','TREAT','HPAYMT','ETREAT'])`),
  type: place(TYPES),
  resource_id: `'r' || i / 4`,
  deleted: 'false',
  erased: 'false',
  args: `'{}'`,
  evidence: 'NULL',
  leaf: `'{"leaf":' || i || '}'`,
};

const TYPED: Readonly<Record<string, string>> = {
  uuid: id('row'),
  text: `'t' || i`,
  bigint: 'i',
  integer: '(i % 1000)::integer',
  boolean: 'false',
  bytea: `decode(md5(i::text), 'hex')`,
  'timestamp with time zone': time,
  'double precision': 'i::double precision',
  date: `DATE '1930-01-01' + (i % 30000)::integer`,
};

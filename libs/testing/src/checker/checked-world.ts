import { join } from 'node:path';
import { adminQuery, type DatabaseAddress } from '@portolan/postgres';
import { BodiesAtRest, type DataKeyRow } from './bodies-at-rest.js';

export const ROLES = ['edge', 'exchange', 'notary'] as const;
export type RoleName = (typeof ROLES)[number];

/** What the checker is told of a world: where its databases, folders and ledger are. Everything else it reads. */
export interface CheckedWorld {
  /** `admin`: the superuser's address of the cluster in which the country's database lies. */
  readonly countries: readonly {
    readonly code: string;
    readonly database: string;
    readonly home: string;
    readonly admin: DatabaseAddress;
  }[];
  readonly ledger: EmbeddedLedger | FabricLedger;
  /** Texts of health data and of persons that were sent in: none may stand on the ledger or at a notary. */
  readonly canaries: readonly string[];
  /** Ids of envelopes that an attacker wrote into an inbox: `dead` must lie there as a dead letter, `settled` may also have been known again. */
  readonly forged?: ReadonlyMap<string, 'dead' | 'settled'>;
}

export interface EmbeddedLedger {
  readonly kind: 'embedded';
  readonly orderer: { readonly org: string; readonly database: string; readonly admin: DatabaseAddress };
  /** File of the genesis document. */
  readonly genesis: string;
}

export interface FabricLedger {
  readonly kind: 'fabric';
  /** Folder of each country's own peer in which its block files lie. */
  readonly blocksOf: Readonly<Record<string, string>>;
}

/** One country's three schemas, read as they stand. */
export class Country {
  private readonly tables = new Map<string, readonly unknown[]>();
  private readonly columns = new Map<string, ReadonlySet<unknown>>();
  private readonly bodies = new Map<RoleName, BodiesAtRest>();

  private constructor(
    readonly code: string,
    private readonly address: DatabaseAddress,
  ) {}

  static async read({ ledger }: CheckedWorld, { code, database, home, admin }: CheckedWorld['countries'][number]): Promise<Country> {
    const country = new Country(code, { ...admin, database });
    for (const [schema, tables] of Object.entries(READ)) for (const table of tables) await country.load(`${schema}.${table}`);
    for (const table of LEDGER_TABLES[ledger.kind]) await country.load(`notary.${table}`);
    for (const role of ROLES) {
      country.bodies.set(role, await BodiesAtRest.open(join(home, role, 'master'), country.rows<DataKeyRow>(`${role}.data_key`)));
    }
    return country;
  }

  rows<Row>(table: string): readonly Row[] {
    const rows = this.tables.get(table);
    if (rows === undefined) throw new Error(`table ${table} was not read`);
    return rows as readonly Row[];
  }

  /** Whether a row has this value in this column. */
  has(table: string, column: string, value: unknown): boolean {
    const name = `${table} ${column}`;
    const known = this.columns.get(name) ?? new Set(this.rows<Record<string, unknown>>(table).map((row) => row[column]));
    this.columns.set(name, known);
    return known.has(value);
  }

  bodiesOf(role: RoleName): BodiesAtRest {
    const bodies = this.bodies.get(role);
    if (bodies === undefined) throw new Error(`no keys of ${role}`);
    return bodies;
  }

  /** JSON of a body; undefined where its key was destroyed or it does not open. */
  json<T>(role: RoleName, table: string, row: { readonly id: string; readonly key_id: string; readonly body: Buffer }): T | undefined {
    const opened = this.bodiesOf(role).read(row.key_id, row.body, `${role}.${table}:${row.id}`);
    return typeof opened === 'string' ? undefined : (JSON.parse(opened.text) as T);
  }

  private async load(table: string): Promise<void> {
    const key = ORDERED[table];
    this.tables.set(table, await adminQuery(this.address, `SELECT * FROM ${table}${key === undefined ? '' : ` ORDER BY ${key}`}`));
  }
}

const common = ['data_key', 'outbox', 'inbox', 'audit_event'];
const READ: Readonly<Record<RoleName, readonly string[]>> = {
  edge: [
    ...common,
    ...['message', 'message_account', 'reject', 'resource', 'resource_version'],
    ...['view', 'view_resource', 'edge_transfer', 'feed_entry', 'proposal'],
  ],
  exchange: [...common, 'transfer', 'incoming', 'outgoing', 'permit', 'consent', 'restriction'],
  notary: [...common, ...['act', 'step', 'batch', 'head', 'log_queue', 'log_leaf', 'log_node', 'trail_step', 'trail_permit']],
};
const LEDGER_TABLES = {
  embedded: ['ledger_block', 'ledger_tx', 'ledger_state', 'ledger_attestation'],
  fabric: ['fabric_block', 'fabric_tx', 'fabric_state'],
} as const;

const ORDERED: Readonly<Partial<Record<string, string>>> = {
  'notary.log_leaf': 'index',
  'notary.log_queue': 'seq',
  'notary.head': 'seq',
  'notary.ledger_block': 'number',
  'notary.ledger_tx': 'block, index',
  'notary.fabric_block': 'number',
  'notary.fabric_tx': 'block, index',
  'exchange.outgoing': 'seq',
  'exchange.incoming': 'seq',
};

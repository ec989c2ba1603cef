import type { Schema } from '../connect/role-data-source.js';

type Privilege = 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE';

const READ: readonly Privilege[] = ['SELECT'];
/** Rows that are never changed. */
const APPEND: readonly Privilege[] = ['SELECT', 'INSERT'];
/** Rows that change and stay. */
const KEEP: readonly Privilege[] = ['SELECT', 'INSERT', 'UPDATE'];
/** Rows that are never changed, and removed when they have served. */
const ADD_AND_REMOVE: readonly Privilege[] = ['SELECT', 'INSERT', 'DELETE'];
/** Rows that are replaced, erased, or removed when they have served. */
const FREE: readonly Privilege[] = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'];

type TableGrants = Readonly<Record<string, readonly Privilege[]>>;

/** What each schema has. Nobody may change or remove an audit event; nobody gets TRUNCATE, REFERENCES or TRIGGER on anything. */
const common: TableGrants = {
  migration: READ,
  key_owner: KEEP,
  data_key: KEEP,
  outbox: FREE,
  inbox: ADD_AND_REMOVE,
  audit_event: APPEND,
  lease: KEEP,
};

/** An organisation's copy of the embedded ledger: a country's notary has one, and the orderer. */
const ledgerCopy: TableGrants = {
  ledger_block: APPEND,
  ledger_tx: APPEND,
  ledger_state: KEEP,
  ledger_attestation: APPEND,
  ledger_cursor: KEEP,
};

/** An index of a Fabric channel; it is emptied to be built again from the peer's blocks, all but what was refused. */
const fabricIndex: TableGrants = {
  fabric_block: ['SELECT', 'INSERT', 'DELETE'],
  fabric_tx: ['SELECT', 'INSERT', 'DELETE'],
  fabric_state: FREE,
  fabric_refusal: APPEND,
};

/** What a schema's own database user may do with each of its tables. The page to read when asking who may what. */
export const grants: Readonly<Record<Schema, TableGrants>> = {
  edge: {
    ...common,
    used_statement: FREE,
    message: APPEND,
    message_account: KEEP,
    reject: KEEP,
    mapping_question: KEEP,
    mapping_question_message: ADD_AND_REMOVE,
    person: FREE,
    person_identifier: FREE,
    person_merge: KEEP,
    stay_move: FREE,
    stay_left: FREE,
    resource: KEEP,
    resource_version: APPEND,
    search_value: FREE,
    view: KEEP,
    view_resource: ADD_AND_REMOVE,
    edge_transfer: KEEP,
    feed_entry: APPEND,
    proposal: KEEP,
    reconciliation: FREE,
    foreign_entry: ADD_AND_REMOVE,
    patient_link: KEEP,
  },
  exchange: {
    ...common,
    used_statement: FREE,
    transfer: KEEP,
    incoming: FREE,
    outgoing: FREE,
    consent: KEEP,
    restriction: KEEP,
    permit: KEEP,
    emergency: KEEP,
  },
  notary: {
    ...common,
    act: KEEP,
    step: KEEP,
    batch: KEEP,
    head: KEEP,
    log_queue: KEEP,
    log_leaf: APPEND,
    log_node: APPEND,
    trail_checkpoint: KEEP,
    trail_step: APPEND,
    trail_permit: KEEP,
    trail_key: KEEP,
    trail_head: APPEND,
    ...ledgerCopy,
    ...fabricIndex,
  },
  orderer: { migration: READ, block: APPEND, block_tx: APPEND, attestation: APPEND, ...ledgerCopy },
};

/** The edge's record tables, which the exchange reads so that it decides for itself. Nothing else crosses between schemas. */
export const recordTables: readonly string[] = ['person', 'person_identifier', 'resource', 'resource_version', 'data_key'];

/** Statements that set the rights on one schema's tables to exactly the above, whatever stood before. Run by the owner. */
export function grantsOf(schema: Schema, prefix: string): readonly string[] {
  const user = databaseUser(prefix, schema);
  const own = Object.entries(grants[schema]).map(([table, rights]) => `GRANT ${rights.join(', ')} ON ${schema}.${table} TO ${user}`);
  const reader = databaseUser(prefix, 'exchange');
  const read = schema === 'edge' ? recordTables.map((table) => `GRANT SELECT ON edge.${table} TO ${reader}`) : [];
  const everyone = schema === 'edge' ? `PUBLIC, ${user}, ${reader}` : `PUBLIC, ${user}`;
  return [`REVOKE ALL ON ALL TABLES IN SCHEMA ${schema} FROM ${everyone}`, ...own, ...read];
}

/** `ee_edge`. Prefixes are checked where they are made: lower-case letters, digits and underscores. */
export const databaseUser = (prefix: string, part: Schema | 'owner'): string => `${prefix}_${part}`;

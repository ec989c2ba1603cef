import { PortolanError } from '@portolan/contracts';
import type { DataKeys, ErasureRegister, Leases, OutboxStore, PersonId, RoleTx, UnitOfWork, Wakeups } from '@portolan/domain';
import type { DataSource } from 'typeorm';
import type { Bodies } from '../bodies/bodies.js';
import { OutboxDoor } from '../role/outbox.store.js';
import { roleStores } from '../role/role-stores.js';
import { ping, storeFailure } from './failure.js';
import { PostgresLeases } from './leases.js';
import { roleDataSource, type RoleDatabaseConfig, type SchemaModel } from './role-data-source.js';
import type { Sql } from './sql.js';
import { PostgresUnitOfWork, Transactions } from './unit-of-work.js';
import { PostgresWakeups } from './wakeups.js';

/** One role's way into its database: connections of its own, under its own database user, to its own schema. */
export interface RoleDatabase<Tx extends RoleTx> {
  readonly uow: UnitOfWork<Tx>;
  readonly leases: Leases;
  readonly wakeups: Wakeups;
  /** The outbox outside a transaction: for its relay, and for the roles that fetch bodies. */
  readonly outbox: OutboxStore;
  /** Resolves while the database answers; throws `store.unavailable`. */
  ping(): Promise<void>;
  /** What time it is by the database's machine, milliseconds since 1970. */
  now(): Promise<number>;
  close(): Promise<void>;
}

/** Opens what every role has, with the role's own stores beside. Throws `store.unavailable`, `store.migrations-missing`. */
export async function openRoleDatabase<Tx extends RoleTx>(
  config: RoleDatabaseConfig,
  model: SchemaModel,
  keys: DataKeys,
  own: (sql: Sql, bodies: Bodies) => Omit<Tx, keyof RoleTx>,
  alsoErase: (tx: Tx, person: PersonId) => Promise<void> = () => Promise.resolve(),
): Promise<RoleDatabase<Tx> & { readonly transactions: Transactions }> {
  const source = await openDataSource(config, model);
  const wakeups = new PostgresWakeups(config.address, model.schema, source);
  const transactions = new Transactions(source, model.schema, wakeups);
  const uow = new PostgresUnitOfWork<Tx>(transactions, (sql) => {
    const { bodies, ...common } = roleStores(sql, keys, model.schema, config);
    return { ...common, ...own(sql, bodies) } as unknown as Tx;
  });
  if (config.erasures !== undefined) await eraseAgain(config.erasures, transactions, uow, alsoErase);
  return {
    transactions,
    uow,
    leases: new PostgresLeases(source),
    wakeups,
    outbox: new OutboxDoor(uow),
    ping: async () => ping(source, model.schema),
    now: async () => {
      const [row] = await source.query<{ ms: string }[]>('SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS ms');
      return Number(row?.ms);
    },
    async close() {
      await wakeups.close();
      await source.destroy();
    },
  };
}

/** Whoever was erased and stands in this database as if she had not been: it was restored from a backup of before. */
async function eraseAgain<Tx extends RoleTx>(
  erasures: ErasureRegister,
  transactions: Transactions,
  uow: UnitOfWork<Tx>,
  alsoErase: (tx: Tx, person: PersonId) => Promise<void>,
): Promise<void> {
  const persons = [...new Set(await erasures.all())];
  const rows = await transactions.run((sql) =>
    sql.rows<{ person: PersonId }>('SELECT person FROM key_owner WHERE person = ANY ($1::uuid[]) AND erased_at IS NOT NULL', [persons]),
  );
  const erased = new Set(rows.map(({ person }) => person));
  for (const person of persons.filter((one) => !erased.has(one)))
    await uow.run(async (tx) => {
      await tx.keys.erase(person);
      await alsoErase(tx, person);
    });
}

/** An initialised data source whose schema is at least as new as this program. */
export async function openDataSource(config: RoleDatabaseConfig, model: SchemaModel): Promise<DataSource> {
  const source = roleDataSource(config, model);
  try {
    await source.initialize();
    await requireMigrations(source, model);
    return source;
  } catch (failure) {
    if (source.isInitialized) await source.destroy();
    throw storeFailure(failure, `database, schema ${model.schema}`);
  }
}

/** A newer schema is welcome (nodes of two versions share one during an upgrade), an older one is not. */
async function requireMigrations(source: DataSource, model: SchemaModel): Promise<void> {
  const done = await source.query<{ name: string }[]>('SELECT name FROM migration').catch((failure: unknown) => {
    if ((failure as { code?: unknown }).code !== '42P01') throw failure;
    return [];
  });
  const missing = source.migrations.find(({ name }) => !done.some((one) => one.name === name));
  if (missing !== undefined) throw new PortolanError('store.migrations-missing', `schema ${model.schema}`, missing.name);
}

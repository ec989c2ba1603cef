import type { ErasureRegister } from '@portolan/domain';
import 'reflect-metadata';
import { DataSource, type Logger, type MigrationInterface, type MixedList } from 'typeorm';
import type { DatabaseAddress } from './address.js';
import { clientOptions } from './address.js';

/** The schemas of a country's database, and the orderer's in its own. Each has a database role of its own. */
export type Schema = 'edge' | 'exchange' | 'notary' | 'orderer';

type Class = new () => object;

/** What a role's schema is made of. */
export interface SchemaModel {
  readonly schema: Schema;
  readonly entities: readonly Class[];
  readonly migrations: readonly (new () => MigrationInterface)[];
}

export interface RoleDatabaseConfig {
  readonly address: DatabaseAddress;
  /** Most connections of this process for this role, besides one that listens. Four countries with three roles share 100. */
  readonly poolSize?: number;
  /** Seen in pg_stat_activity. */
  readonly applicationName?: string;
  /** Longest statement, in milliseconds; idle transactions end after three times, lock waits after half of it. */
  readonly statementTimeoutMs?: number;
  /** Longest wait for a connection, a free one of the pool or a new one, in milliseconds. */
  readonly connectTimeoutMs?: number;
  /** After so many refused deliveries an outbox message or an envelope is dead (shown by doctor, revivable); unreachable counts for nothing. */
  readonly maxRefusals?: number;
  /** Whom this role erased, kept outside of the database; absent: nothing is kept, and a restored backup reads her again. */
  readonly erasures?: ErasureRegister;
}

const ignore = (): void => undefined;

/** TypeORM's own loggers print statements with their parameters, and failed migrations even with logging off. */
const SILENT: Logger = {
  logQuery: ignore,
  logQueryError: ignore,
  logQuerySlow: ignore,
  logSchemaBuild: ignore,
  logMigration: ignore,
  log: ignore,
};

/**
 * TypeORM's data source of one schema: search_path is that schema alone, READ COMMITTED, times in UTC, synchronize off. Entities are
 * named without a schema, so that outbox, inbox, keys and audit are one model in three schemas.
 */
export function roleDataSource(config: RoleDatabaseConfig, model: SchemaModel): DataSource {
  const statement = config.statementTimeoutMs ?? 10_000;
  const { user: username, ...address } = clientOptions(config.address);
  return new DataSource({
    type: 'postgres',
    ...address,
    username,
    applicationName: config.applicationName ?? `portolan-${model.schema}`,
    poolSize: config.poolSize ?? 4,
    connectTimeoutMS: config.connectTimeoutMs ?? address.connectionTimeoutMillis,
    entities: [...model.entities] as MixedList<Class>,
    migrations: [...model.migrations],
    migrationsTableName: 'migration',
    migrationsTransactionMode: 'all',
    synchronize: false,
    logging: false,
    logger: SILENT,
    installExtensions: false,
    uuidExtension: 'pgcrypto',
    // The pool drops a broken idle connection by itself; the next query meets a new one or fails with a code.
    poolErrorHandler: () => undefined,
    extra: {
      options: `-c search_path=${model.schema} -c default_transaction_isolation=read\\ committed -c timezone=UTC`,
      statement_timeout: statement,
      lock_timeout: statement / 2,
      idle_in_transaction_session_timeout: statement * 3,
      keepAlive: true,
    },
  });
}

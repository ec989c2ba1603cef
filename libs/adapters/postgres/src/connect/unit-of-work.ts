import { setTimeout as pause } from 'node:timers/promises';
import { PortolanError } from '@portolan/contracts';
import { UnitOfWork, type RoleTx } from '@portolan/domain';
import type { PoolClient } from 'pg';
import type { DataSource } from 'typeorm';
import { isRepeatable, storeFailure } from './failure.js';
import { Prepared } from './prepared.js';
import type { Schema } from './role-data-source.js';
import { Sql } from './sql.js';
import type { PostgresWakeups } from './wakeups.js';

const MAX_ATTEMPTS = 6;

/** A role's unit of work: its stores over one transaction. */
export class PostgresUnitOfWork<Tx extends RoleTx> extends UnitOfWork<Tx> {
  constructor(
    private readonly transactions: Transactions,
    private readonly stores: (sql: Sql) => Tx,
  ) {
    super();
  }

  override async run<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.transactions.run(async (sql) => work(this.stores(sql)));
  }

  override async alone<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.transactions.alone(async (sql) => work(this.stores(sql)));
  }
}

/**
 * Transactions at READ COMMITTED. Stores make what must be stricter exact themselves: compare-and-set in one UPDATE, a row or
 * advisory lock, a unique index; none relies on the isolation level. Deadlocks and serialization failures run `work` again.
 */
export class Transactions {
  /** What the server of each connection knows by name; ends with the connection. */
  private readonly prepared = new WeakMap<PoolClient, Prepared>();

  constructor(
    private readonly source: DataSource,
    private readonly schema: Schema,
    /** Of this process; absent: everything is told through the database. */
    private readonly wakeups?: Pick<PostgresWakeups, 'elsewhere' | 'told'>,
  ) {}

  /** Throws what `work` throws, `store.unavailable` (nothing written), `store.outcome-unknown` (lost while committing), `store.conflict`, `store.rejected`. */
  async run<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    return this.repeated(() => this.on(true, work));
  }

  /** Without a transaction: each statement commits by itself, together with those that were put off until it. */
  async alone<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    return this.repeated(() => this.on(false, work));
  }

  private async repeated<T>(attempted: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await attempted();
      } catch (failure) {
        if (!isRepeatable(failure) || attempt === MAX_ATTEMPTS) throw storeFailure(failure, `database, schema ${this.schema}`);
        // Spread by attempt and by chance of arrival: two that blocked each other do not meet again in step.
        await pause(attempt * 10 + Math.random() * 20 * attempt);
      }
    }
  }

  private async on<T>(inTransaction: boolean, work: (sql: Sql) => Promise<T>): Promise<T> {
    const runner = this.source.createQueryRunner();
    try {
      const client = (await runner.connect()) as PoolClient;
      const sql = new Sql(runner, client, inTransaction, this.preparedOf(client));
      const result = await work(sql).catch(async (failure: unknown) => this.undo(sql, failure));
      await this.end(sql);
      this.wakeups?.told(sql.touched, (client as { processID?: number }).processID);
      return result;
    } finally {
      await runner.release();
    }
  }

  private preparedOf(client: PoolClient): Prepared {
    const known = this.prepared.get(client) ?? new Prepared();
    this.prepared.set(client, known);
    return known;
  }

  private async undo(sql: Sql, failure: unknown): Promise<never> {
    await sql.undo();
    throw sql.failureBehind(failure);
  }

  /** What is put off goes with the commit, and so does word to those who wait for it in other processes. */
  private async end(sql: Sql): Promise<void> {
    const channels = this.wakeups?.elsewhere(sql.touched) ?? [...sql.touched];
    const word = { text: 'SELECT pg_notify($1, c) FROM unnest($2::text[]) c', values: [this.schema, channels] };
    const { failed, isUnknown } = await sql.end(channels.length === 0 ? undefined : word);
    if (failed === undefined) return;
    await sql.undo();
    const told = storeFailure(failed, `database, schema ${this.schema}`);
    if (isUnknown && told instanceof PortolanError && told.code === 'store.unavailable')
      throw new PortolanError('store.outcome-unknown', told.where);
    throw failed as Error;
  }
}

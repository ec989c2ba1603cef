import { setTimeout as pause } from 'node:timers/promises';
import { PortolanError } from '@portolan/contracts';
import { UnitOfWork, type RoleTx } from '@portolan/domain';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import { isRepeatable, storeFailure } from './failure.js';
import type { Schema } from './role-data-source.js';
import { Sql } from './sql.js';

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
  constructor(
    private readonly source: DataSource,
    private readonly schema: Schema,
  ) {}

  /** Throws what `work` throws, `store.unavailable` (nothing written), `store.outcome-unknown` (lost while committing), `store.conflict`, `store.rejected`. */
  async run<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    return this.repeated(() => this.once(work));
  }

  /** Without a transaction: each statement commits by itself, and costs one round trip instead of three. */
  async alone<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    return this.repeated(async () => {
      const runner = this.source.createQueryRunner();
      try {
        const sql = new Sql(runner.manager);
        const result = await work(sql);
        await announce(runner.manager, this.schema, sql.touched);
        return result;
      } finally {
        await runner.release();
      }
    });
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

  private async once<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    const runner = this.source.createQueryRunner();
    try {
      await runner.startTransaction();
      const sql = new Sql(runner.manager);
      const result = await work(sql).catch(async (failure: unknown) => this.undo(runner, failure));
      await announce(runner.manager, this.schema, sql.touched).catch(async (failure: unknown) => this.undo(runner, failure));
      await this.commit(runner);
      return result;
    } finally {
      await runner.release();
    }
  }

  private async undo(runner: QueryRunner, failure: unknown): Promise<never> {
    // A rollback fails only on a lost connection, which undoes the transaction too.
    await runner.rollbackTransaction().catch(() => undefined);
    throw failure;
  }

  private async commit(runner: QueryRunner): Promise<void> {
    try {
      await runner.commitTransaction();
    } catch (failure) {
      const told = storeFailure(failure, `database, schema ${this.schema}`);
      if (!(told instanceof PortolanError) || told.code !== 'store.unavailable') throw failure;
      throw new PortolanError('store.outcome-unknown', told.where);
    }
  }
}

async function announce(manager: EntityManager, schema: Schema, channels: ReadonlySet<string>): Promise<void> {
  if (channels.size > 0) await manager.query('SELECT pg_notify($1, c) FROM unnest($2::text[]) c', [schema, [...channels]]);
}

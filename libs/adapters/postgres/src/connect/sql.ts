import type { LeaseName, WakeupChannel } from '@portolan/domain';
import type { PoolClient } from 'pg';
import type { EntityManager, ObjectLiteral, QueryRunner, SelectQueryBuilder } from 'typeorm';
import { Pipeline, type Answered, type Statement } from './pipeline.js';
import type { Prepared } from './prepared.js';
import { PutOff, type RowStatement } from './put-off.js';

/** What an entity holds, without its class. */
export type Plain<Entity> = { [Column in keyof Entity]: Entity[Column] };

/** `text` as a text column can hold it: PostgreSQL knows no U+0000. Exact texts are kept as bytes, this is for what is compared. */
export const storable = (text: string): string => text.replaceAll('\0', '');

const BEGIN: Statement = { text: 'BEGIN', values: [] };
const COMMIT: Statement = { text: 'COMMIT', values: [] };

/**
 * Plain parametrised SQL on one connection, for what must be exact (SKIP LOCKED, compare-and-set, upserts). Tables are found by the connection's
 * search_path, which is its role's schema alone. What nobody waits for is put off and goes with the next statement that is: they keep their
 * order, and cost no round trip of their own. A transaction begins with its first statement, and commits with its last.
 */
export class Sql {
  /** Wake-up channels to notify when the transaction commits. */
  readonly touched = new Set<WakeupChannel>();
  /** Leases whose fencing number was checked and is locked in this transaction. */
  readonly fenced = new Map<LeaseName, number>();
  private readonly putOff = new PutOff();
  private hasBegun = false;
  private firstFailure: { readonly error: unknown } | undefined;

  constructor(
    private readonly runner: QueryRunner,
    private readonly client: PoolClient,
    private readonly inTransaction: boolean,
    private readonly prepared: Prepared,
  ) {}

  /** TypeORM's way to the same connection: its statements come after those that were put off. */
  get manager(): EntityManager {
    if (!this.putOff.isEmpty || (this.inTransaction && !this.hasBegun)) this.send().catch((error: unknown) => this.note(error));
    return this.runner.manager;
  }

  async rows<Row>(text: string, parameters: readonly unknown[] = []): Promise<readonly Row[]> {
    return (await this.run(text, parameters)).rows as Row[];
  }

  async first<Row>(text: string, parameters: readonly unknown[] = []): Promise<Row | undefined> {
    return (await this.rows<Row>(text, parameters))[0];
  }

  /** How many rows the statement wrote. */
  async affected(text: string, parameters: readonly unknown[] = []): Promise<number> {
    return (await this.run(text, parameters)).affected;
  }

  /** Sent with whatever is waited for next, at the latest with the commit; resolves at once. Where it fails, so does what it went with. */
  later(text: string, parameters: readonly unknown[] = []): Promise<void> {
    this.putOff.add({ text, values: parameters });
    return Promise.resolve();
  }

  /** Puts off one row of a statement for many: those that come together go together (put-off.ts). Rows with the same `key` keep their order. */
  laterRow(statement: RowStatement, row: readonly unknown[], key?: string): Promise<void> {
    this.putOff.addRow(statement, row, key);
    return Promise.resolve();
  }

  /** Puts off what a builder of TypeORM's makes. */
  laterBy(builder: { getQueryAndParameters(): [string, unknown[]] }): Promise<void> {
    return this.later(...builder.getQueryAndParameters());
  }

  /** For builders whose statement is not sent by them. */
  get builder(): SelectQueryBuilder<ObjectLiteral> {
    return this.runner.manager.createQueryBuilder();
  }

  /** Wakes those who wait on `channel`, once this transaction commits. */
  wake(channel: WakeupChannel): void {
    this.touched.add(channel);
  }

  /** Sends what was put off, `last` behind it, and commits. Where that fails: why, and whether it may have been committed all the same. */
  async end(last: Statement | undefined): Promise<{ readonly failed?: unknown; readonly isUnknown: boolean }> {
    // A commit of what has failed is a rollback, and the server calls it done.
    if (this.firstFailure !== undefined) return { failed: this.firstFailure.error, isUnknown: false };
    if (last !== undefined) this.putOff.add(last);
    const commits = this.inTransaction && (this.hasBegun || !this.putOff.isEmpty);
    if (commits) this.putOff.add(COMMIT);
    if (this.putOff.isEmpty) return { isUnknown: false };
    const pipeline = this.pipeline();
    const failure = await pipeline.done.then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    if (failure === undefined) return { isUnknown: false };
    return { failed: this.failureBehind(failure.error), isUnknown: commits && (pipeline.reachedLast || !isServers(failure.error)) };
  }

  /** Undoes a transaction that has begun. Fails only on a lost connection, which undoes it too. */
  async undo(): Promise<void> {
    this.putOff.clear();
    if (this.inTransaction && this.hasBegun) await this.client.query('ROLLBACK').catch(() => undefined);
  }

  /** What went wrong first: whatever else is tried in a transaction after that fails of it. */
  failureBehind(failure: unknown): unknown {
    return this.firstFailure === undefined ? failure : this.firstFailure.error;
  }

  private async run(text: string, parameters: readonly unknown[]): Promise<Answered> {
    this.putOff.add({ text, values: parameters });
    const answers = await this.send();
    return answers.at(-1) ?? { rows: [], affected: 0 };
  }

  private send(): Promise<readonly Answered[]> {
    return this.pipeline().done;
  }

  /** What was put off, behind the beginning of the transaction where it has not begun. */
  private pipeline(): Pipeline {
    const begins = this.inTransaction && !this.hasBegun;
    this.hasBegun ||= begins;
    const pipeline = new Pipeline(this.putOff.take(...(begins ? [BEGIN] : [])), this.prepared);
    if (this.inTransaction) pipeline.done.catch((error: unknown) => this.note(error));
    this.client.query(pipeline);
    return pipeline;
  }

  private note(error: unknown): void {
    this.firstFailure ??= { error };
  }
}

/** Said by the server, and not by a connection that broke. */
const isServers = (error: unknown): boolean => typeof (error as { severity?: unknown } | undefined)?.severity === 'string';

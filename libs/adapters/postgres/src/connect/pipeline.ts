import type { Connection, Submittable } from 'pg';
import Result from 'pg/lib/result.js';
import { prepareValue } from 'pg/lib/utils.js';

export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** What one statement answered. */
export interface Answered {
  readonly rows: readonly unknown[];
  /** How many rows it wrote, or gave. */
  readonly affected: number;
}

/** The connection as `pg` hands it over; `@types/pg` has arguments of an older version. */
interface Wire {
  readonly stream: { cork(): void; uncork(): void };
  parse(message: { text: string; name: string; types: readonly number[] }): void;
  bind(message: { portal: string; statement: string; values: readonly (string | Buffer | null)[]; binary: boolean }): void;
  describe(message: { type: 'P'; name: string }): void;
  execute(message: { portal: string; rows: number }): void;
  sync(): void;
}

/**
 * Several statements in one round trip, by the extended query protocol (PostgreSQL manual, 54.2.3 and 54.2.4 "Pipelining"): all are written at
 * once with one Sync behind them, and after one that fails the server skips the rest. Outside of a transaction they are one together.
 */
export class Pipeline implements Submittable {
  /** One answer a statement, in their order. Rejects with the driver's error of the first that failed. */
  readonly done: Promise<readonly Answered[]>;
  private readonly settle: PromiseWithResolvers<readonly Answered[]>;
  private readonly prepared: readonly (readonly (string | Buffer | null)[])[];
  private readonly answered: Answered[] = [];
  private current = new Result(undefined, undefined);

  constructor(readonly statements: readonly Statement[]) {
    this.settle = Promise.withResolvers<readonly Answered[]>();
    this.done = this.settle.promise;
    // Before anything is written: a value that cannot be sent must not leave half a message on the wire.
    this.prepared = statements.map(({ values }) => values.map((value) => prepareValue(value)));
  }

  /** Whether the server had begun with the last one when it failed or fell silent; what came before it was done by then. */
  get reachedLast(): boolean {
    return this.answered.length >= this.statements.length - 1;
  }

  submit(connection: Connection): void {
    const wire = connection as unknown as Wire;
    wire.stream.cork();
    try {
      this.statements.forEach(({ text }, i) => {
        wire.parse({ text, name: '', types: [] });
        wire.bind({ portal: '', statement: '', values: this.prepared[i] ?? [], binary: false });
        wire.describe({ type: 'P', name: '' });
        wire.execute({ portal: '', rows: 0 });
      });
      wire.sync();
    } finally {
      wire.stream.uncork();
    }
  }

  // What `pg` tells of the answer, message by message.

  handleRowDescription({ fields }: { fields: unknown }): void {
    this.current.addFields(fields);
  }

  handleDataRow({ fields }: { fields: unknown }): void {
    this.current.addRow(this.current.parseRow(fields));
  }

  handleCommandComplete(message: unknown): void {
    this.current.addCommandComplete(message);
    this.answered.push({ rows: this.current.rows, affected: this.current.rowCount ?? 0 });
    this.current = new Result(undefined, undefined);
  }

  handleError(error: unknown): void {
    this.settle.reject(error);
  }

  handleReadyForQuery(): void {
    this.settle.resolve(this.answered);
  }
}

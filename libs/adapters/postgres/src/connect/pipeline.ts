import type { Connection, Submittable } from 'pg';
import Result from 'pg/lib/result.js';
import { prepareValue } from 'pg/lib/utils.js';
import { isNamedNoMore } from './failure.js';
import type { Prepared, Sending } from './prepared.js';

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
  on(event: 'parseComplete', taken: () => void): void;
  off(event: 'parseComplete', taken: () => void): void;
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
  private readonly values: readonly (readonly (string | Buffer | null)[])[];
  private readonly answered: Answered[] = [];
  private current = new Result(undefined, undefined);
  private sent: readonly Sending[] = [];
  private fields: unknown = undefined;
  /** Ends what listens for what the server has taken. */
  private over: () => void = () => undefined;

  constructor(
    readonly statements: readonly Statement[],
    /** What the server of this connection knows by name. */
    private readonly prepared: Prepared,
  ) {
    this.settle = Promise.withResolvers<readonly Answered[]>();
    this.done = this.settle.promise;
    // Before anything is written: a value that cannot be sent must not leave half a message on the wire.
    this.values = statements.map(({ values }) => values.map((value) => prepareValue(value)));
  }

  /** Whether the server had begun with the last one when it failed or fell silent; what came before it was done by then. */
  get reachedLast(): boolean {
    return this.answered.length >= this.statements.length - 1;
  }

  submit(connection: Connection): void {
    const wire = connection as unknown as Wire;
    this.sent = this.sendings();
    this.listen(wire);
    this.expect();
    wire.stream.cork();
    try {
      this.statements.forEach(({ text }, i) => {
        this.write(wire, text, i);
      });
      wire.sync();
    } finally {
      wire.stream.uncork();
    }
  }

  /** What comes twice here is parsed once: where the first fails, the server skips the second too. */
  private sendings(): readonly Sending[] {
    const here = new Map<string, Sending>();
    return this.statements.map(({ text }) => {
      const { name = '', fields } = here.get(text) ?? {};
      const sending = name === '' ? this.prepared.sending(text) : { name, parse: false, fields };
      here.set(text, sending);
      return sending;
    });
  }

  private write(wire: Wire, text: string, i: number): void {
    const { name = '', parse = true, fields } = this.sent[i] ?? {};
    if (parse) wire.parse({ text, name, types: [] });
    wire.bind({ portal: '', statement: name, values: this.values[i] ?? [], binary: false });
    if (fields === undefined) wire.describe({ type: 'P', name: '' });
    wire.execute({ portal: '', rows: 0 });
  }

  /** The server answers each Parse in its turn. */
  private listen(wire: Wire): void {
    const parsed = this.statements.flatMap(({ text }, i) => (this.sent[i]?.parse === true ? [{ text, name: this.sent[i].name }] : []));
    const taken = (): void => {
      const next = parsed.shift();
      if (next !== undefined) this.prepared.taken(next.text, next.name);
    };
    wire.on('parseComplete', taken);
    this.over = () => {
      wire.off('parseComplete', taken);
    };
  }

  /** Columns that are known are not told again. */
  private expect(): void {
    this.current = new Result(undefined, undefined);
    this.fields = this.sent[this.answered.length]?.fields;
    if (this.fields !== undefined && this.fields !== null) this.current.addFields(this.fields);
  }

  // What `pg` tells of the answer, message by message.

  handleRowDescription({ fields }: { fields: unknown }): void {
    this.fields = fields;
    this.current.addFields(fields);
  }

  handleDataRow({ fields }: { fields: unknown }): void {
    this.current.addRow(this.current.parseRow(fields));
  }

  handleCommandComplete(message: unknown): void {
    const { text } = this.statements[this.answered.length] ?? {};
    if (text !== undefined) this.prepared.answers(text, this.fields ?? null);
    this.current.addCommandComplete(message);
    this.answered.push({ rows: this.current.rows, affected: this.current.rowCount ?? 0 });
    this.expect();
  }

  handleError(error: unknown): void {
    if (isNamedNoMore(error)) this.prepared.forget();
    this.settle.reject(error);
  }

  handleReadyForQuery(): void {
    this.over();
    this.settle.resolve(this.answered);
  }
}

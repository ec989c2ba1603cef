import type { Statement } from './pipeline.js';

/** One statement for many rows: `text` takes an array a column. */
export interface RowStatement {
  readonly text: string;
  /** Nothing refers to its rows before they are put off: a row may be written earlier, with others of its kind. */
  readonly first?: boolean;
}

/** Rows of one statement at most. */
const MOST_ROWS = 256;

class Rows {
  readonly statement: Statement;
  private readonly columns: unknown[][] = [];
  private readonly keys = new Set<string>();

  constructor(
    readonly of: RowStatement,
    private count = 0,
  ) {
    this.statement = { text: of.text, values: this.columns };
  }

  takes(key: string | undefined): boolean {
    return this.count < MOST_ROWS && (key === undefined || !this.keys.has(key));
  }

  add(row: readonly unknown[], key: string | undefined): void {
    if (key !== undefined) this.keys.add(key);
    this.count += 1;
    for (const [i, value] of row.entries()) (this.columns[i] ??= []).push(value);
  }
}

/**
 * Statements that nobody waits for yet, in their order. Rows of the same kind that come together are one statement, at the place of the last of
 * them: they go behind rows of other kinds that were put off meanwhile, and never behind a statement of another sort.
 */
export class PutOff {
  private statements: Statement[] = [];
  /** The statement that still takes rows, of each text. */
  private readonly open = new Map<string, Rows>();

  get isEmpty(): boolean {
    return this.statements.length === 0;
  }

  add(statement: Statement): void {
    for (const [text, { of }] of this.open) if (of.first !== true) this.open.delete(text);
    this.statements.push(statement);
  }

  /** `key`: rows with the same one are written one after the other. */
  addRow(of: RowStatement, row: readonly unknown[], key?: string): void {
    const known = this.open.get(of.text);
    const rows = known?.takes(key) === true ? known : new Rows(of);
    rows.add(row, key);
    this.open.set(of.text, rows);
    if (rows === known && of.first === true) return;
    if (rows === known) this.statements.splice(this.statements.indexOf(rows.statement), 1);
    this.statements.push(rows.statement);
  }

  /** All of them, `before` in front. Nothing is put off after that. */
  take(...before: readonly Statement[]): readonly Statement[] {
    const all = [...before, ...this.statements];
    this.clear();
    return all;
  }

  clear(): void {
    this.statements = [];
    this.open.clear();
  }
}

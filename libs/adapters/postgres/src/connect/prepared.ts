/** Statements that one connection names at most; the server keeps a plan of each. */
const MOST_NAMED = 256;
/** Texts that are remembered as seen once; those that never come again, as lists of values of their own length, are forgotten with the others. */
const MOST_SEEN = 1_024;

/** What its star stands for is fixed when the statement is named, and a migration may change it while an older copy of the role runs. */
const GIVES_ALL_COLUMNS = /^\s*SELECT \*|\.\*|RETURNING \*/i;

/** How a text goes to the server. */
export interface Sending {
  /** Empty: it has no name there. */
  readonly name: string;
  /** The server does not know it yet. */
  readonly parse: boolean;
  /** The answer's columns, where the server said them before; null where it has none, undefined where it is to be asked. */
  readonly fields: unknown;
}

/**
 * The statements that one connection's server knows by name (PostgreSQL manual, 54.2.3): what comes a second time is named, and from then on
 * neither read, nor analysed, nor, where one plan serves all values, planned again. Its columns are asked for once.
 */
export class Prepared {
  private readonly named = new Map<string, { readonly name: string; fields: unknown }>();
  private readonly seen = new Set<string>();
  private count = 0;

  /** A name is drawn anew each time: one whose statement failed may or may not be known there, and is not used again. */
  sending(text: string): Sending {
    const known = this.named.get(text);
    if (known !== undefined) return { ...known, parse: false };
    return { name: this.mayBeNamed(text) ? `portolan_${(this.count += 1)}` : '', parse: true, fields: undefined };
  }

  /** The server has taken the statement under that name. */
  taken(text: string, name: string): void {
    if (name !== '') this.named.set(text, { name, fields: undefined });
  }

  /** The columns of a statement's answer, null where it has none. */
  answers(text: string, fields: unknown): void {
    const known = this.named.get(text);
    if (known !== undefined) known.fields = fields;
  }

  /** The server no longer has them, or not as they were. */
  forget(): void {
    this.named.clear();
  }

  private mayBeNamed(text: string): boolean {
    if (this.seen.has(text)) return this.named.size < MOST_NAMED && !GIVES_ALL_COLUMNS.test(text);
    if (this.seen.size >= MOST_SEEN) this.seen.clear();
    this.seen.add(text);
    return false;
  }
}

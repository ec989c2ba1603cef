/** What `pg` offers to makers of a query class of their own, as its own `pg-cursor` uses it; `@types/pg` does not know it. */
declare module 'pg/lib/utils.js' {
  /** A value as it goes over the wire: text, bytes, or null. */
  export function prepareValue(value: unknown): string | Buffer | null;
}

declare module 'pg/lib/result.js' {
  export default class Result {
    constructor(rowMode: undefined, types: unknown);
    readonly rows: unknown[];
    readonly rowCount: number | null;
    addFields(fields: unknown): void;
    parseRow(values: unknown): unknown;
    addRow(row: unknown): void;
    addCommandComplete(message: unknown): void;
  }
}

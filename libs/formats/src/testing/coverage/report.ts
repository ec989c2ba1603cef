import { allRows, type Served } from './coverage.js';
import { exceptionOf } from './exceptions.js';

/** How many rows of one table there are, are served, are left out on purpose; and the texts of those that lack. */
export interface TableCoverage {
  readonly table: string;
  readonly rows: number;
  readonly served: number;
  readonly excepted: number;
  readonly lacking: readonly string[];
}

export interface CoverageReport {
  readonly tables: readonly TableCoverage[];
  readonly rows: number;
  readonly served: number;
  readonly excepted: number;
  /** Served, of those that are not left out on purpose. */
  readonly share: number;
  /** Reasons for which rows are left out, with how many. */
  readonly reasons: Readonly<Record<string, number>>;
}

export function reportOf(found: ReadonlyMap<string, Served>): CoverageReport {
  const tables = [...Map.groupBy(allRows, ({ table }) => table)].map(([table, rows]) => {
    const open = rows.filter(({ key }) => !found.has(key));
    const excepted = open.filter((row) => exceptionOf(row) !== undefined).length;
    const lacking = open.filter((row) => exceptionOf(row) === undefined).map(({ key }) => key.slice(table.length + 1));
    return { table, rows: rows.length, served: rows.length - open.length, excepted, lacking };
  });
  const sum = (count: (table: TableCoverage) => number): number => tables.reduce((total, table) => total + count(table), 0);
  const [rows, served, excepted] = [sum((one) => one.rows), sum((one) => one.served), sum((one) => one.excepted)];
  return { tables, rows, served, excepted, share: served / (rows - excepted), reasons: reasonsOf(found) };
}

function reasonsOf(found: ReadonlyMap<string, Served>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const row of allRows) {
    const reason = found.has(row.key) ? undefined : exceptionOf(row);
    if (reason !== undefined) counts[reason] = (counts[reason] ?? 0) + 1;
  }
  return counts;
}

/** Rows as aligned columns under their names; empty for no rows. */
export function table<Row extends object>(rows: readonly Row[], columns: readonly (keyof Row & string)[]): string[] {
  if (rows.length === 0) return [];
  const cells = [[...columns], ...rows.map((row) => columns.map((column) => printable(String(row[column] ?? ''))))];
  const widths = columns.map((_, i) => Math.max(...cells.map((line) => line[i]?.length ?? 0)));
  return cells.map((line) =>
    line
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** Texts from outside move no cursor and colour nothing. */
const printable = (text: string): string => text.replace(/\p{Cc}/gu, '·');

import { PortolanError, type CsvExtract } from '@portolan/contracts';
import { parse } from 'csv-parse/browser/esm/sync';
import { csvText, headText, type CsvText } from './text.js';

/** Largest files and cells that are read. */
const MAX_ROWS = 20_000;
const MAX_CELL = 65_536;
const MAX_OPEN_QUOTES = 100;

/** One row of a file. */
export interface CsvRow {
  /** Its number in the file, a header being the first; rows without a value count. */
  readonly number: number;
  /** The cells of the declared columns as text, quotes resolved; undefined where the row cannot be read or has not these columns. */
  readonly cells: readonly string[] | undefined;
  /** The row as it stands in the file. */
  readonly raw: string;
}

export interface CsvFile {
  readonly extract: CsvExtract;
  readonly text: CsvText;
  readonly header: CsvRow | undefined;
  readonly rows: readonly CsvRow[];
}

/** The declared kind of file that the bytes are, by the header's titles; one without a header by its number of columns. Never throws. */
export function extractOf(bytes: Uint8Array, extracts: readonly CsvExtract[]): CsvExtract | undefined {
  const ordered = [...extracts.filter(({ header }) => header), ...extracts.filter(({ header }) => !header)];
  return ordered.find((extract) => {
    const cells = fitting(firstCells(bytes, extract), extract);
    return cells !== undefined && (!extract.header || firstOther(cells, extract) < 0);
  });
}

function firstCells(bytes: Uint8Array, extract: CsvExtract): readonly string[] {
  return records(headText(bytes, extract), 1).rows[0]?.cells ?? [];
}

/** The first column that the header calls otherwise than declared; -1 where there is none. */
const firstOther = (cells: readonly string[], { columns }: CsvExtract): number =>
  columns.findIndex(({ name, title = name }, i) => cells[i]?.trim() !== title);

/** In which way the bytes are not the declared kind of file that they come nearest to, by its titles; tells nothing of what the file says. */
export function unlikeExtracts(bytes: Uint8Array, extracts: readonly CsvExtract[]): string {
  const [nearest] = extracts
    .flatMap((extract) => ([',', ';', '\t', '|'] as const).map((delimiter) => ({ extract, delimiter })))
    .map((one) => ({ ...one, cells: firstCells(bytes, { ...one.extract, delimiter: one.delimiter }) }))
    .map((one) => ({ ...one, alike: likeness(one.cells, one.extract) }))
    .toSorted((a, b) => b.alike - a.alike);
  return nearest === undefined || nearest.alike < 2 ? 'no declared extract' : `${nearest.extract.id}: ${difference(nearest)}`;
}

const likeness = (cells: readonly string[], { columns }: CsvExtract): number => {
  const titles = new Set(cells.map((cell) => cell.trim()));
  return columns.filter(({ name, title = name }) => titles.has(title)).length;
};

function difference({ extract, delimiter, cells }: { extract: CsvExtract; delimiter: string; cells: readonly string[] }): string {
  const at = firstOther(cells, extract);
  if (at >= 0) return `column ${at + 1} is not called ${extract.columns[at]?.title ?? extract.columns[at]?.name ?? ''}`;
  if (fitting(cells, extract) === undefined) return `${cells.length} columns, not ${extract.columns.length}`;
  return `separated by ${JSON.stringify(delimiter)} and not by ${JSON.stringify(extract.delimiter)}`;
}

/** Reads a file's rows (RFC 4180). Throws PortolanError ingest.too-large or ingest.encoding-invalid; a bad row is told as one and ends nothing. */
export function readRows(bytes: Uint8Array, extract: CsvExtract, maxBytes: number): CsvFile {
  if (bytes.length > maxBytes) throw new PortolanError('ingest.too-large', 'document', `more than ${maxBytes} bytes`);
  const text = csvText(bytes, extract);
  const { rows, count } = records(text, MAX_ROWS + 1);
  if (count > MAX_ROWS) throw new PortolanError('ingest.too-large', 'document', `more than ${MAX_ROWS} rows`);
  const checked = rows.map((row) => ({ ...row, cells: fitting(row.cells, extract) }));
  return extract.header
    ? { extract, text, header: checked[0], rows: checked.slice(1) }
    : { extract, text, header: undefined, rows: checked };
}

/** The cells of the declared columns. Behind them spreadsheets write empty ones, as many as their widest row has: these say nothing. */
function fitting(cells: readonly string[] | undefined, { columns }: CsvExtract): readonly string[] | undefined {
  if (cells === undefined || cells.length < columns.length) return undefined;
  const [own, behind] = [cells.slice(0, columns.length), cells.slice(columns.length)];
  return behind.every((cell) => cell === '') && own.every((cell) => cell.length <= MAX_CELL) ? own : undefined;
}

/** Rows that have a value, and how many there are with those that have none, both up to a limit. */
interface Records {
  readonly rows: CsvRow[];
  count: number;
}

/**
 * The records of a text in their order. A quote inside of a cell is a sign like others. One that opens a cell and is never closed would swallow
 * what follows: then its line alone is a row that cannot be read, and the next line begins anew; after a hundred of these the rest is one.
 */
function records(text: CsvText, most: number): Records {
  const found: Records = { rows: [], count: 0 };
  let rest = text.body;
  for (let tries = 0; rest !== ''; tries += 1) {
    const open = parsed(rest, text, most, found);
    if (open === undefined || found.count >= most) break;
    const end = tries < MAX_OPEN_QUOTES ? open.indexOf(text.lineEnd.at(-1) ?? '\n') + 1 : 0;
    const line = end === 0 ? open : open.slice(0, end);
    found.count += 1;
    found.rows.push({ number: found.count, cells: undefined, raw: line });
    rest = open.slice(line.length);
  }
  return found;
}

/** Adds the records of `text` to those found; the text from the quote that is open at the end, where there is one. */
function parsed(text: string, { delimiter, lineEnd }: CsvText, most: number, found: Records): string | undefined {
  let open: string | undefined;
  parse(text, {
    delimiter,
    raw: true,
    record_delimiter: lineEnd === '\r' ? ['\r'] : ['\r\n', '\n'],
    relax_column_count: true,
    relax_quotes: true,
    skip_records_with_error: true,
    to: most,
    on_skip: (_error, raw) => {
      open = raw ?? '';
      return undefined;
    },
    on_record: (item: unknown) => {
      const { record, raw } = item as { record: string[]; raw: string };
      if (found.count >= most) return null;
      found.count += 1;
      if (record.every((cell) => cell === '')) return null;
      // The parser gives of CR LF the CR.
      found.rows.push({ number: found.count, cells: record, raw: raw.endsWith('\r') && lineEnd !== '\r' ? `${raw}\n` : raw });
      return null;
    },
  });
  return open;
}

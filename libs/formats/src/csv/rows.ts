import { PortolanError, type CsvExtract } from '@portolan/contracts';
import { parse } from 'csv-parse/browser/esm/sync';
import { decodeCharset, withoutMark } from '../bytes/charset.js';

/** Largest files and cells that are read. */
const MAX_ROWS = 20_000;
const MAX_COLUMNS = 500;
const MAX_CELL = 65_536;
const MAX_OPEN_QUOTES = 100;
/** Longest header that is looked at to know a file. */
const MAX_HEADER = 65_536;

/** One row of a file. */
export interface CsvRow {
  /** Its number in the file, a header being the first. */
  readonly number: number;
  /** The cells as text, quotes resolved; undefined where the row cannot be read or has not the declared columns. */
  readonly cells: readonly string[] | undefined;
  /** The row as it stands in the file. */
  readonly raw: string;
}

export interface CsvFile {
  readonly extract: CsvExtract;
  readonly header: CsvRow | undefined;
  readonly rows: readonly CsvRow[];
}

/** The declared kind of file that the bytes are, by the header's titles; one without a header by its number of columns. Never throws. */
export function extractOf(bytes: Uint8Array, extracts: readonly CsvExtract[]): CsvExtract | undefined {
  const ordered = [...extracts.filter(({ header }) => header), ...extracts.filter(({ header }) => !header)];
  return ordered.find((extract) => {
    const [first] = records(firstLine(bytes, extract), extract, 1);
    if (first?.cells === undefined) return false;
    const { cells } = first;
    if (cells.length !== extract.columns.length) return false;
    return !extract.header || extract.columns.every(({ name, title = name }, i) => cells[i]?.trim() === title);
  });
}

function firstLine(bytes: Uint8Array, { encoding }: CsvExtract): string {
  const head = withoutMark(bytes.subarray(0, MAX_HEADER));
  const end = head.findIndex((byte) => byte === 0x0a || byte === 0x0d);
  return decodeCharset(end < 0 ? head : head.subarray(0, end), encoding) ?? '';
}

/** Reads a file's rows (RFC 4180). Throws PortolanError ingest.too-large or ingest.encoding-invalid; a bad row is told as one and ends nothing. */
export function readRows(bytes: Uint8Array, extract: CsvExtract, maxBytes: number): CsvFile {
  if (bytes.length > maxBytes) throw new PortolanError('ingest.too-large', 'document', `more than ${maxBytes} bytes`);
  const text = decodeCharset(withoutMark(bytes), extract.encoding);
  if (text === undefined) throw new PortolanError('ingest.encoding-invalid', 'document');
  const all = records(text, extract, MAX_ROWS + 1);
  if (all.length > MAX_ROWS) throw new PortolanError('ingest.too-large', 'document', `more than ${MAX_ROWS} rows`);
  const checked = all.map((row) => ({ ...row, cells: row.cells !== undefined && fits(row.cells, extract) ? row.cells : undefined }));
  return extract.header ? { extract, header: checked[0], rows: checked.slice(1) } : { extract, header: undefined, rows: checked };
}

const fits = (cells: readonly string[], { columns }: CsvExtract): boolean =>
  cells.length === columns.length && cells.length <= MAX_COLUMNS && cells.every((cell) => cell.length <= MAX_CELL);

/**
 * The records of a text in their order. A quote inside of a cell is a sign like others. One that opens a cell and is never closed would swallow
 * what follows: then its line alone is a row that cannot be read, and the next line begins anew; after a hundred of these the rest is one.
 */
function records(text: string, extract: CsvExtract, most: number): CsvRow[] {
  const rows: CsvRow[] = [];
  let rest = text;
  for (let tries = 0; rest !== ''; tries += 1) {
    const open = parsed(rest, extract, most, rows);
    if (open === undefined || rows.length >= most) break;
    const end = tries < MAX_OPEN_QUOTES ? open.indexOf('\n') + 1 : 0;
    const line = end === 0 ? open : open.slice(0, end);
    rows.push({ number: rows.length + 1, cells: undefined, raw: line });
    rest = open.slice(line.length);
  }
  return rows;
}

/** Adds the records of `text` to `rows`; the text from the quote that is open at the end, where there is one. */
function parsed(text: string, { delimiter }: CsvExtract, most: number, rows: CsvRow[]): string | undefined {
  let open: string | undefined;
  parse(text, {
    delimiter,
    raw: true,
    record_delimiter: ['\r\n', '\n'],
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    to: most,
    on_skip: (_error, raw) => {
      open = raw ?? '';
      return undefined;
    },
    on_record: (item: unknown) => {
      const { record, raw } = item as { record: string[]; raw: string };
      // The parser gives of CR LF the CR.
      if (rows.length < most) rows.push({ number: rows.length + 1, cells: record, raw: raw.endsWith('\r') ? `${raw}\n` : raw });
      return null;
    },
  });
  return open;
}

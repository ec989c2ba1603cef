import { PortolanError } from '@portolan/contracts';
import { parse } from 'csv-parse/browser/esm/sync';
import { wrong, type ReleaseFile } from './release.js';

/** Longest line of a table, and longest row of a CSV file. */
const MAX_CHARS = 1_000_000;
const ROWS_AT_ONCE = 500;

/** A row of a table by the titles of its columns. */
export interface Row {
  /** `file:line`, for messages. */
  readonly place: string;
  readonly cells: Readonly<Record<string, string>>;
}

interface Line {
  readonly number: number;
  readonly text: string;
}

/** The lines of a text that comes in pieces, a byte order mark left out. Never holds more than one line and one piece. */
async function* linesOf({ name, text }: ReleaseFile): AsyncGenerator<Line> {
  let rest = '';
  let number = 0;
  for await (const piece of text) {
    const parts = `${rest}${piece}`.split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) {
      number += 1;
      yield { number, text: bare(part, number) };
    }
    if (rest.length > MAX_CHARS)
      throw new PortolanError('terms.release-too-large', `${name}:${number + 1}`, `a line of more than ${MAX_CHARS} characters`);
  }
  if (rest !== '') yield { number: number + 1, text: bare(rest, number + 1) };
}

const bare = (line: string, number: number): string => (number === 1 ? line.replace(/^\uFEFF/, '') : line).replace(/\r$/, '');

/** Rows of a table whose cells are parted by tabs and never quoted, as those of SNOMED CT's release format are. */
export async function* tabRows(file: ReleaseFile): AsyncGenerator<Row> {
  let titles: readonly string[] | undefined;
  for await (const { number, text } of linesOf(file)) {
    const cells = text.split('\t');
    if (titles === undefined) titles = cells;
    else if (text !== '') yield rowOf(titles, cells, `${file.name}:${number}`);
  }
}

/** Rows of a CSV file (RFC 4180) with a header; a quoted cell may hold line breaks. Parted by whichever of comma, semicolon and tab its header has most. */
export async function* csvRows(file: ReleaseFile): AsyncGenerator<Row> {
  let titles: readonly string[] | undefined;
  let delimiter = ',';
  for await (const batch of batchesOf(file)) {
    delimiter = titles === undefined ? delimiterOf(batch[0]?.text ?? '') : delimiter;
    for (const [i, cells] of cellsOf(batch, delimiter, file.name).entries()) {
      if (titles === undefined) titles = cells.map((one) => one.trim());
      else yield rowOf(titles, cells, `${file.name}:${batch[i]?.number ?? 0}`);
    }
  }
}

const delimiterOf = (header: string): string =>
  [',', ';', '\t'].map((one) => [one, header.split(one).length] as const).reduce((a, b) => (b[1] > a[1] ? b : a))[0];

/** Whole rows, some hundred at once: a row ends at a line end that stands in no quotes. */
async function* batchesOf(file: ReleaseFile): AsyncGenerator<readonly Line[]> {
  let batch: Line[] = [];
  let open: Line | undefined;
  for await (const line of linesOf(file)) {
    const row: Line = open === undefined ? line : { number: open.number, text: `${open.text}\n${line.text}` };
    if (row.text.length > MAX_CHARS)
      throw new PortolanError('terms.release-too-large', `${file.name}:${row.number}`, 'a row, or quotes that nobody closes');
    open = isOpen(row.text) ? row : undefined;
    if (open === undefined && row.text !== '') batch.push(row);
    if (batch.length >= ROWS_AT_ONCE) {
      yield batch;
      batch = [];
    }
  }
  if (open !== undefined) throw wrong(`${file.name}:${open.number}`, 'quotes that nobody closes');
  if (batch.length > 0) yield batch;
}

function isOpen(text: string): boolean {
  let open = false;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) open = !open;
  return open;
}

function cellsOf(batch: readonly Line[], delimiter: string, name: string): readonly (readonly string[])[] {
  const read = (lines: readonly Line[]): string[][] =>
    parse(lines.map(({ text }) => text).join('\n'), { delimiter, relax_column_count: true });
  try {
    const rows = read(batch);
    if (rows.length === batch.length) return rows;
  } catch {
    // Told below, with its line.
  }
  for (const line of batch) {
    try {
      read([line]);
    } catch {
      throw wrong(`${name}:${line.number}`, 'no row of a CSV file');
    }
  }
  throw wrong(`${name}:${batch[0]?.number ?? 0}`, 'no rows of a CSV file');
}

function rowOf(titles: readonly string[], cells: readonly string[], place: string): Row {
  if (cells.length !== titles.length) throw wrong(place, `has ${cells.length} cells and not ${titles.length}`);
  return { place, cells: Object.fromEntries(titles.map((title, i) => [title, cells[i] ?? ''])) };
}

/** A text whole, for a file that cannot be read in pieces. */
export async function wholeText({ name, text }: ReleaseFile, maxChars: number): Promise<string> {
  const pieces: string[] = [];
  let length = 0;
  for await (const piece of text) {
    length += piece.length;
    if (length > maxChars) throw new PortolanError('terms.release-too-large', name, `more than ${maxChars} characters`);
    pieces.push(piece);
  }
  return pieces.join('').replace(/^\uFEFF/, '');
}

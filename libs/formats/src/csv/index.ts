import { PortolanError, type CsvExtract } from '@portolan/contracts';
import { SourceNode, type Format, type Reject, type SourceDocument } from '../engine/index.js';
import type { BatchItem, BatchLimits } from '../hl7v2/index.js';
import { extractOf, readRows, unlikeExtracts, type CsvFile, type CsvRow } from './rows.js';
import { csvBytes } from './text.js';

export { unlikeExtracts } from './rows.js';

/**
 * CSV extracts with declared columns (RFC 4180): what a file is and what its columns are called stands in the country's `country.json`
 * (`extracts`), what becomes of them in its `maps/`. A row is a node named by its extract, a cell `lab-result[3]/value`; an empty cell is none, and
 * a text that a spreadsheet would take for a formula is a text.
 */
export const csv: Format = {
  name: 'csv',
  detect: (bytes, extracts = []) => extractOf(bytes, extracts) !== undefined,
  read: (bytes, { maxBytes, extracts = [], sha256 }) => {
    const extract = extractOf(bytes, extracts);
    if (extract === undefined || sha256 === undefined)
      throw new PortolanError('ingest.format-unknown', 'header', unlikeExtracts(bytes, extracts));
    return documentOf(readRows(bytes, extract, maxBytes), sha256(bytes));
  },
  maps: {},
  conceptMaps: {},
  conversions: {},
};

function documentOf({ extract, rows }: CsvFile, hash: string): SourceDocument {
  const problems: Reject[] = rows
    .filter(({ cells }) => cells === undefined)
    .map((row) => ({ code: 'ingest.malformed', path: pathOf(row, extract), rule: '(rows)', severity: 'entry' }));
  return {
    root: SourceNode.branch(
      'csv',
      'csv',
      rows.map((row) => nodeOf(row, extract)),
    ),
    // A file has no id of its own: the same bytes are the same document.
    header: {
      id: `${extract.id}-${hash.slice(0, 32)}`,
      type: extract.id,
      processing: 'P',
      sender: { organisation: extract.organisation },
      supported: true,
    },
    problems,
  };
}

const pathOf = ({ number }: CsvRow, { id }: CsvExtract): string => `${id}[${number}]`;

/** A row that cannot be read is one leaf, and carried. */
function nodeOf(row: CsvRow, extract: CsvExtract): SourceNode {
  const path = pathOf(row, extract);
  if (row.cells === undefined) return SourceNode.leaf('line', path, row.raw);
  const cells = extract.columns.flatMap(({ name }, i) => {
    const text = row.cells?.[i] ?? '';
    return text === '' ? [] : [SourceNode.leaf(name, `${path}/${name}`, text)];
  });
  return SourceNode.branch(extract.id, path, cells);
}

/**
 * The documents of a CSV file: the rows that the extract's `document` columns put together, each with the header, as bytes of their own; a row
 * that cannot be read is a document too, so that it is kept and refused by itself. Undefined where no declared extract fits.
 */
export function readExtract(bytes: Uint8Array, extracts: readonly CsvExtract[], limits: BatchLimits): BatchItem[] | undefined {
  const extract = extractOf(bytes, extracts);
  if (extract === undefined) return undefined;
  const file = readRows(bytes, extract, Number.POSITIVE_INFINITY);
  const groups = new Map<string, CsvRow[]>();
  for (const row of file.rows) {
    const key = groupOf(row, extract);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  if (groups.size > limits.maxMessages)
    throw new PortolanError('ingest.too-large', 'document', `more than ${limits.maxMessages} documents`);
  return [...groups.values()].map((group) => {
    const text = textOf(group, file);
    return itemOf(group, csvBytes(text, bytes, extract), limits);
  });
}

function itemOf(group: readonly CsvRow[], bytes: Uint8Array, { maxBytes }: BatchLimits): BatchItem {
  const place = group
    .map(({ number }) => `row[${number}]`)
    .slice(0, 3)
    .join(' ');
  return bytes.length > maxBytes ? { kind: 'problem', code: 'ingest.too-large', place } : { kind: 'message', place, bytes };
}

function groupOf({ number, cells }: CsvRow, { document = [], columns }: CsvExtract): string {
  if (document.length === 0 || cells === undefined) return `row ${number}`;
  return JSON.stringify(columns.flatMap(({ name }, i) => (document.includes(name) ? [cells[i] ?? ''] : [])));
}

/** Rows as they stand in the file, below what it says of itself. */
function textOf(group: readonly CsvRow[], { header, text }: CsvFile): string {
  const rows = header === undefined ? group : [header, ...group];
  return text.prefix + rows.map(({ raw }) => (/[\r\n]$/.test(raw) ? raw : `${raw}${text.lineEnd}`)).join('');
}

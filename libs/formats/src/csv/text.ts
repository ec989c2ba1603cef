import { PortolanError, type CsvExtract } from '@portolan/contracts';
import { decodeBytewise, decodeText, encodeExactly } from '../bytes/charset.js';
import { widened, wideOrder } from '../bytes/wide-text.js';

/** Longest beginning that is looked at to know a file. */
const MAX_HEAD = 65_536;

/** A file's text, and what it says itself of how it is read. */
export interface CsvText {
  /** The line `sep=;` as it stands, by which spreadsheets name the delimiter; empty where there is none. */
  readonly prefix: string;
  readonly body: string;
  /** As that line has it, else as declared. */
  readonly delimiter: string;
  /** How the first row ends: CR alone is no end of a row unless it is that of the first. */
  readonly lineEnd: '\r\n' | '\n' | '\r';
}

/** Throws PortolanError ingest.encoding-invalid, with the first line that is no text. */
export function csvText(bytes: Uint8Array, { id, encoding, delimiter }: CsvExtract): CsvText {
  const named = isMarked(bytes) ? '' : encoding;
  const text = decodeText(bytes, named);
  if (text !== undefined) return partsOf(text, delimiter);
  const line = firstBroken(bytes, named);
  throw new PortolanError(
    'ingest.encoding-invalid',
    line === undefined ? 'document' : `line ${line}`,
    `not ${encoding}, which ${id} declares`,
  );
}

/** The beginning of the text, whatever its bytes: one that is none further down is told by whoever reads it whole. */
export function headText(bytes: Uint8Array, { encoding, delimiter }: CsvExtract): CsvText {
  const head = bytes.subarray(0, MAX_HEAD);
  const order = wideOrder(head);
  const label = order ?? (isMarked(head) || encoding === 'UTF-8' ? 'utf-8' : undefined);
  const text = label === undefined ? (decodeText(head, encoding) ?? decodeBytewise(head)) : new TextDecoder(label).decode(head);
  return partsOf(text, delimiter);
}

/** The text as bytes, as those of the file from which it is. */
export function csvBytes(text: string, bytes: Uint8Array, { encoding }: CsvExtract): Uint8Array {
  const order = wideOrder(bytes);
  if (order !== undefined) return widened(new TextEncoder().encode(`\ufeff${text}`), order);
  const encoded = isMarked(bytes) ? new TextEncoder().encode(`\ufeff${text}`) : encodeExactly(text, encoding);
  if (typeof encoded === 'number') throw new PortolanError('ingest.encoding-invalid', 'document');
  return encoded;
}

/** Whether the bytes say themselves that they are Unicode: UTF-16, or a byte order mark of UTF-8. Spreadsheets write either, whatever is declared. */
const isMarked = (bytes: Uint8Array): boolean =>
  wideOrder(bytes) !== undefined || (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf);

function partsOf(text: string, declared: string): CsvText {
  const [prefix = '', named = declared] = /^"?sep=([,;\t|])"?[,;\t|]*(?:\r\n|\n|\r)/i.exec(text) ?? [];
  const body = text.slice(prefix.length);
  const [, end] = /^(?:[^"\r\n]|"[^"]*")*(\r\n|\n|\r)/.exec(body.slice(0, MAX_HEAD)) ?? [];
  return { prefix, body, delimiter: named, lineEnd: end === '\r' || end === '\n' ? end : '\r\n' };
}

/** The first line that is no text in the set; undefined where none is by itself, or lines cannot be told apart as bytes. */
function firstBroken(bytes: Uint8Array, encoding: string): number | undefined {
  if (wideOrder(bytes) !== undefined) return undefined;
  let start = 0;
  for (let line = 1; start < bytes.length; line += 1) {
    const found = bytes.indexOf(0x0a, start);
    const end = found < 0 ? bytes.length : found;
    if (decodeText(bytes.subarray(start, end), encoding) === undefined) return line;
    start = end + 1;
  }
  return undefined;
}

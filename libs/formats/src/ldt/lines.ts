import { PortolanError } from '@portolan/contracts';
import { decodeCharset, withoutMark } from '../bytes/charset.js';

/** One field of an xDT file. */
export interface LdtLine {
  /** 1-based number of the line. */
  readonly number: number;
  /** Field id (Feldkennung), four digits. */
  readonly field: string;
  readonly content: string;
}

/** Most lines that are read. */
const MAX_LINES = 100_000;

/**
 * The lines of an xDT file: three digits of length (the whole line in bytes, CR and LF included), four digits of field id, the
 * content. ISO 8859-15, or UTF-8 where the bytes are that. A length that is wrong means damage: throws `ingest.malformed`.
 */
export function readLines(bytes: Uint8Array, maxBytes: number): readonly LdtLine[] {
  if (bytes.length > maxBytes) throw new PortolanError('ingest.too-large', 'document', `more than ${maxBytes} bytes`);
  const charset = decodeCharset(bytes, 'UTF-8') === undefined ? 'ISO-8859-15' : 'UTF-8';
  return splitLines(withoutEnd(withoutMark(bytes))).map((line, i) => readLine(line, i + 1, charset));
}

/** Without what editors and old systems put behind the last line: empty lines, and the sign for the end of a file. */
function withoutEnd(bytes: Uint8Array): Uint8Array {
  const last = bytes.findLastIndex((byte) => ![0x0d, 0x0a, 0x1a].includes(byte));
  return bytes.subarray(0, last + 1);
}

/** Lines without their CR and LF; an empty last one is none. */
function splitLines(bytes: Uint8Array): readonly Uint8Array[] {
  const lines: Uint8Array[] = [];
  let start = 0;
  while (start < bytes.length) {
    if (lines.length === MAX_LINES) throw new PortolanError('ingest.too-large', 'document', `more than ${MAX_LINES} lines`);
    const found = bytes.indexOf(0x0a, start);
    const end = found < 0 ? bytes.length : found;
    lines.push(bytes.subarray(start, bytes[end - 1] === 0x0d && end > start ? end - 1 : end));
    start = end + 1;
  }
  return lines;
}

function readLine(bytes: Uint8Array, number: number, charset: string): LdtLine {
  const text = decodeCharset(bytes, charset) ?? '';
  const match = /^(\d{3})(\d{4})(.*)$/s.exec(text);
  if (match === null) throw new PortolanError('ingest.malformed', `line ${number}`, 'not length, field and content');
  if (Number(match[1]) !== bytes.length + 2) throw new PortolanError('ingest.malformed', `line ${number}`, 'its length is another');
  return { number, field: match[2] ?? '', content: match[3] ?? '' };
}

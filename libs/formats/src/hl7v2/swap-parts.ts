import { decodeHead } from '../bytes/charset.js';
import { joined } from '../bytes/joined.js';
import { narrowed, wideOrder, widened } from '../bytes/wide-text.js';

const [carriageReturn, lineFeed] = [0x0d, 0x0a];

/**
 * A swap of two patients' places (ADT^A17, HL7 v2.8.2 §3.3.17) tells of two persons in one message. Here it becomes a message a person, so that
 * each is kept, encrypted and erased with its own person: the segments before the first PID, as they came, and those of one PID. Each is an
 * ADT^A17 of one patient (`ADT_A17` repeats its group). Whatever else `bytes` are, they are given back alone and as they are.
 */
export function personParts(bytes: Uint8Array): readonly Uint8Array[] {
  const order = wideOrder(bytes);
  const lines = linesOf(order === undefined ? bytes : narrowed(bytes, order));
  if (lines[0] === undefined || !isSwap(lines[0])) return [bytes];
  const starts = lines.flatMap((line, i) => (isPid(line) ? [i] : []));
  if (starts.length < 2) return [bytes];
  const head = lines.slice(0, starts[0]);
  const parts = starts.map((start, i) => joined([...head, ...lines.slice(start, starts[i + 1])]));
  return order === undefined ? parts : parts.map((part) => widened(part, order));
}

/** The lines with their ends. */
function linesOf(bytes: Uint8Array): readonly Uint8Array[] {
  const lines: Uint8Array[] = [];
  let from = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const ends = bytes[at] === lineFeed || (bytes[at] === carriageReturn && bytes[at + 1] !== lineFeed);
    if (!ends) continue;
    lines.push(bytes.subarray(from, at + 1));
    from = at + 1;
  }
  if (from < bytes.length) lines.push(bytes.subarray(from));
  return lines;
}

const MAX_HEAD = 2_000;

/** MSH-9 by the separators that MSH-1 and MSH-2 declare. */
function isSwap(line: Uint8Array): boolean {
  const text = decodeHead(line.subarray(0, MAX_HEAD));
  if (!text.startsWith('MSH')) return false;
  const fields = text.split(text[3] ?? '|');
  const [code, event] = (fields[8] ?? '').split(fields[1]?.[0] ?? '^');
  return code === 'ADT' && event === 'A17';
}

const isPid = (line: Uint8Array): boolean => String.fromCharCode(...line.subarray(0, 3)) === 'PID';

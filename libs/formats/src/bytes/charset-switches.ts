import { decodeCharset, type ReadBytes } from './charset.js';
import { decodeJisPairs, decodeKatakana } from './jis.js';

/** A set that a sequence calls for: ASCII again, another one in its place, of one or two bytes a sign, or one in the upper half. */
type Called = 'ASCII' | Lower | { readonly high: ReadBytes };
interface Lower {
  readonly low: ReadBytes;
  readonly width: 1 | 2;
}

const named =
  (name: string): ReadBytes =>
  (bytes) =>
    decodeCharset(bytes, name);
const katakana: ReadBytes = (bytes) => decodeKatakana(bytes.map((byte) => (byte > 0x20 ? byte | 0x80 : byte)));
const kanji: Called = { low: (bytes) => decodeJisPairs(bytes, 'JIS X 0208'), width: 2 };

/** What follows ESC (ISO 2022), and which set it calls for: those of HL7 v2.8 §2.7.3, and those of the other sets of table 0211. */
const calls: ReadonlyMap<string, Called> = new Map<string, Called>([
  ['(B', 'ASCII'],
  ['(J', { low: named('ISO IR14'), width: 1 }],
  ['(I', { low: katakana, width: 1 }],
  ['$@', kanji],
  ['$B', kanji],
  ['$(B', kanji],
  ['$(D', { low: (bytes) => decodeJisPairs(bytes, 'JIS X 0212'), width: 2 }],
  [')I', { high: decodeKatakana }],
  ['-A', { high: named('8859/1') }],
  ['-B', { high: named('8859/2') }],
  ['-C', { high: named('8859/3') }],
  ['-D', { high: named('8859/4') }],
  ['-L', { high: named('8859/5') }],
  ['-G', { high: named('8859/6') }],
  ['-F', { high: named('8859/7') }],
  ['-H', { high: named('8859/8') }],
  ['-M', { high: named('8859/9') }],
  ['-T', { high: named('8859/11') }],
  ['-b', { high: named('8859/15') }],
  ['$)C', { high: named('KS X 1001') }],
]);

/**
 * Reads a text that changes its character set within a line, by ISO 2022 (ESC and two or three bytes) or by HL7's `\Cxxyy\ \Mxxyyzz\`, which name
 * these bytes in hexadecimal digits; `escape` is the byte of HL7's escape character. Each line begins in the set of the message, `base`. The
 * sequences are no part of the text. Undefined where one calls for a set that is not read, or bytes are no text in theirs.
 */
export function decodeSwitched(bytes: Uint8Array, base: ReadBytes, escape: number | undefined): string | undefined {
  const lines: string[] = [];
  for (let from = 0; from < bytes.length;) {
    let to = from + 1;
    while (to < bytes.length && !isLineEnd(bytes[to - 1])) to += 1;
    const line = decodeLine(bytes.subarray(from, to), base, escape);
    if (line === undefined) return undefined;
    lines.push(line);
    from = to;
  }
  return lines.join('');
}

const ESC = 0x1b;
const isLineEnd = (byte: number | undefined): boolean => byte === 0x0d || byte === 0x0a;

function decodeLine(line: Uint8Array, base: ReadBytes, escape: number | undefined): string | undefined {
  const sets = new Sets(base);
  const parts: (string | undefined)[] = [];
  let from = 0;
  for (let at = 0; at < line.length;) {
    const change = changeAt(line, at, escape);
    if (change === undefined) at += sets.widthOf(line[at]);
    else {
      if (change.called === undefined) return undefined;
      parts.push(sets.read(line.subarray(from, at)));
      sets.call(change.called);
      at = from = at + change.length;
    }
  }
  parts.push(sets.read(line.subarray(from)));
  return parts.includes(undefined) ? undefined : parts.join('');
}

/** The sets in force at a place of a line. All that can stand in the upper half are read with ASCII below. */
class Sets {
  private lower: Lower | undefined;

  constructor(private upper: ReadBytes) {}

  call(called: Called): void {
    if (called === 'ASCII') this.lower = undefined;
    else if ('low' in called) this.lower = called;
    else this.upper = called.high;
  }

  /** How many bytes the sign has that begins with this one; blanks and line ends are one in each set. */
  widthOf(byte = 0): number {
    return byte > 0x20 ? (this.lower?.width ?? 1) : 1;
  }

  read(bytes: Uint8Array): string | undefined {
    return bytes.length === 0 ? '' : (this.lower?.low ?? this.upper)(bytes);
  }
}

/** A change of sets: how long its sequence is, and what it calls for; undefined where that is no set that is read. */
interface Change {
  readonly length: number;
  readonly called: Called | undefined;
}

/** Longest sequence: `\M242844\`. */
const MAX_SEQUENCE = 9;

function changeAt(line: Uint8Array, at: number, escape: number | undefined): Change | undefined {
  const byte = line[at];
  if (byte !== ESC && byte !== escape) return undefined;
  const text = String.fromCharCode(...line.subarray(at + 1, at + MAX_SEQUENCE));
  if (byte === ESC) {
    const signs = text.slice(0, /^\$[()]/.test(text) ? 3 : 2);
    return { length: signs.length + 1, called: calls.get(signs) };
  }
  const digits = /^(?:C([\dA-F]{4})|M([\dA-F]{4}(?:[\dA-F]{2})?))(.)/is.exec(text);
  if (digits === null || digits[3]?.charCodeAt(0) !== escape) return undefined;
  const hex = digits[1] ?? digits[2] ?? '';
  const signs = hex.replace(/../g, (two) => String.fromCharCode(Number.parseInt(two, 16)));
  return { length: hex.length + 3, called: calls.get(signs) };
}

import { checkedText } from './checked-text.js';
import { decodeJis201 } from './jis.js';
import { narrowed, wideOrder, widened } from './wide-text.js';

/** The character sets read, by their names in HL7 table 0211 (MSH-18) and in an XML declaration. */
const utf8Names = new Set(['', 'UNICODE UTF-8', 'UTF-8', 'UTF8']);
const utf16Names = new Set(['UNICODE UTF-16', 'UNICODE', 'UTF-16', 'UTF-16LE', 'UTF-16BE']);
const isUtf16 = (name: string): boolean => utf16Names.has(named(name));
/** ASCII, and the sets that are reached from it by sequences alone (ISO 2022): what a text says without one is ASCII. */
const asciiNames = new Set(['ASCII', 'US-ASCII', 'ISO IR6', 'ISO IR87', 'ISO IR159', 'JIS X 0202']);
const named = (name: string): string => name.trim().toUpperCase();

/** Of two bytes a sign: TextDecoder's names. That of KS X 1001 has the syllables of Windows-949 besides. */
const pairNames: ReadonlyMap<string, string> = new Map([
  ['GB 18030-2000', 'gb18030'],
  ['GB18030', 'gb18030'],
  ['BIG-5', 'big5'],
  ['BIG5', 'big5'],
  ['KS X 1001', 'euc-kr'],
  ['EUC-KR', 'euc-kr'],
]);

/** Sets of one byte a sign whose lower half is ASCII: those of ISO 8859 (there is no twelfth). */
const partOf = (name: string): number => Number(/^(?:8859\/|ISO-8859-)([1-9]|1[013456])$/.exec(name)?.[1] ?? 0);
/** Which XML documents name. */
const isWindows = (name: string): boolean => /^WINDOWS-125[0-8]$/.test(name);

/** Where ISO 8859-15 and 8859-9 differ from 8859-1. */
const latin9Signs: Signs = { 0xa4: '€', 0xa6: 'Š', 0xa8: 'š', 0xb4: 'Ž', 0xb8: 'ž', 0xbc: 'Œ', 0xbd: 'œ', 0xbe: 'Ÿ' };
const latin5Signs: Signs = { 0xd0: 'Ğ', 0xdd: 'İ', 0xde: 'Ş', 0xf0: 'ğ', 0xfd: 'ı', 0xfe: 'ş' };
type Signs = Readonly<Record<number, string>>;

/** How bytes are read as text; undefined where they are none. */
export type ReadBytes = (bytes: Uint8Array) => string | undefined;

/** Whether texts in a set of this name are read. Of table 0211, CNS 11643-1992, UTF-32 and JAS2020 are not. */
export const isReadCharset = (name: string): boolean => isUtf16(name) || readerOf(name) !== undefined;

/**
 * A whole text, in the character set that it names itself; undefined where the set is not known or the bytes are no text in it. UTF-16 is
 * known by its bytes: it is read where the name is of it, or none is.
 */
export function decodeText(bytes: Uint8Array, name: string): string | undefined {
  const order = wideOrder(bytes);
  if (order === undefined) return decodeCharset(withoutMark(bytes), name);
  return name.trim() === '' || isUtf16(name) ? checkedText(order, bytes) : undefined;
}

/**
 * Decodes `bytes` in the character set that MSH-18 names; undefined where the set is not known, is UTF-16 (of which a part says nothing of its
 * order), or the bytes are no text in it. Without a name the standard says ASCII; UTF-8, which holds ASCII, is read then, and checked.
 */
export const decodeCharset = (bytes: Uint8Array, name: string): string | undefined => readerOf(name)?.(bytes);

function readerOf(name: string): ReadBytes | undefined {
  const set = named(name);
  if (utf8Names.has(set)) return utf8;
  if (asciiNames.has(set)) return ascii;
  if (set === 'ISO IR14') return decodeJis201;
  const label = isWindows(set) ? set.toLowerCase() : pairNames.get(set);
  if (label !== undefined) return (bytes) => checkedText(label, bytes);
  const part = partOf(set);
  return part === 0 ? undefined : (bytes) => ofPart(bytes, part);
}

const utf8: ReadBytes = (bytes) => checkedText('utf-8', bytes);
const ascii: ReadBytes = (bytes) => (bytes.every((byte) => byte < 0x80) ? utf8(bytes) : undefined);

/**
 * Decodes what an escape sequence gives as hexadecimal digits. In a message of UTF-16 nothing says whether they are bytes or signs: only what can
 * be nothing but tabs and line ends is read there, and all else stays as it came.
 */
export function decodeEscaped(bytes: Uint8Array, name: string): string | undefined {
  if (!isUtf16(name)) return decodeCharset(bytes, name);
  return bytes.every((byte) => [0x09, 0x0a, 0x0d].includes(byte)) ? decodeBytewise(bytes) : undefined;
}

/**
 * Writes a text in the character set that MSH-18 names; in UTF-8 where it names none that is read. What the set has no byte for becomes `?`, and
 * so does what has more than two.
 */
export function encodeCharset(text: string, name: string): Uint8Array {
  const encoded = encoder(text, name);
  return encoded instanceof Function ? encoded(text) : Uint8Array.from(Array.from(text).flatMap((sign) => encoded.get(sign) ?? [UNKNOWN]));
}

/** As `encodeCharset`, or where in the text the first sign stands that the set has no byte for. */
export function encodeExactly(text: string, name: string): Uint8Array | number {
  const encoded = encoder(text, name);
  // Half of a pair of surrogates is no sign of any set.
  if (encoded instanceof Function) return /\p{Surrogate}/u.exec(text)?.index ?? encoded(text);
  const bytes = new Uint8Array(text.length * MAX_PER_SIGN);
  let [at, length] = [0, 0];
  for (const sign of text) {
    const of = encoded.get(sign);
    if (of === undefined) return at;
    bytes.set(of, length);
    length += of.length;
    at += sign.length;
  }
  return bytes.subarray(0, length);
}

/** A Unicode form holds every sign, and every set but one those of ASCII; else what bytes the set has for each sign. */
function encoder(text: string, name: string): ((text: string) => Uint8Array) | ReadonlyMap<string, readonly number[]> {
  if (isUtf16(name)) return (wide) => widened(new TextEncoder().encode(`\ufeff${wide}`), 'utf-16be');
  const read = readerOf(name);
  const isPlain = /^[\0-\x7f]*$/.test(text) && read !== decodeJis201;
  if (read === undefined || read === utf8 || isPlain) return (plain) => new TextEncoder().encode(plain);
  const set = named(name);
  let table = tables.get(set);
  if (table === undefined) tables.set(set, (table = bytesOf(read, pairNames.get(set))));
  return table;
}

/** The name of a set of HL7 table 0211 with IANA, as a media type has it (RFC 6657). */
export function ianaName(name: string): string {
  const set = named(name);
  if (asciiNames.has(set)) return 'us-ascii';
  if (isUtf16(name)) return 'utf-16';
  if (set === 'ISO IR14') return 'jis_x0201';
  const part = partOf(set);
  return part === 0 ? (pairNames.get(set) ?? 'utf-8') : `iso-8859-${part}`;
}

const UNKNOWN = '?'.charCodeAt(0);
const MAX_PER_SIGN = 2;

/** Of each set that was written in: some have 20,000 signs, and every acknowledgement with a name in it needs them. As many as sets are read. */
const tables = new Map<string, ReadonlyMap<string, readonly number[]>>();

/** Which bytes a set has for a sign. */
function bytesOf(read: ReadBytes, label: string | undefined): ReadonlyMap<string, readonly number[]> {
  const found = new Map<string, readonly number[]>();
  if (label !== undefined) for (const [sign, pair] of pairsOf(label)) found.set(sign, pair);
  for (let byte = 0; byte < 0x100; byte += 1) {
    const sign = read(Uint8Array.of(byte));
    if (sign !== undefined) found.set(sign, [byte]);
  }
  return found;
}

/** All signs of two bytes of a set: decoded at once, a line each, since a call for each takes long. */
function pairsOf(label: string): (readonly [sign: string, pair: readonly number[]])[] {
  const leads = Array.from({ length: 0x7e }, (_, i) => 0x81 + i);
  const trails = Array.from({ length: 0xbf }, (_, i) => 0x40 + i).filter((byte) => byte !== 0x7f);
  const pairs = leads.flatMap((lead) => trails.map((trail) => [lead, trail] as const));
  const lines = new TextDecoder(label).decode(Uint8Array.from(pairs.flatMap((pair) => [...pair, 0x0a]))).split('\n');
  return pairs.flatMap((pair, i) => {
    const sign = lines[i] ?? '';
    return Array.from(sign).length === 1 && sign !== '\ufffd' ? [[sign, pair] as const] : [];
  });
}

/** Not TextDecoder for 1 and 9: there these names mean Windows-1252 and 1254 (WHATWG Encoding §4.2). */
function ofPart(bytes: Uint8Array, part: number): string | undefined {
  switch (part) {
    case 1:
      return decodeBytewise(bytes);
    case 9:
      return withSigns(bytes, latin5Signs);
    case 11:
      // There the name means Windows-874, which has signs where the standard has none.
      return bytes.some((byte) => byte >= 0x80 && byte < 0xa0) ? undefined : checkedText('windows-874', bytes);
    case 15:
      return withSigns(bytes, latin9Signs);
    default:
      return checkedText(`iso-8859-${part}`, bytes);
  }
}

const withSigns = (bytes: Uint8Array, signs: Signs): string =>
  decodeBytewise(bytes).replace(/[\x80-\xff]/g, (sign) => signs[sign.charCodeAt(0)] ?? sign);

/** The bytes without a UTF-8 byte order mark. */
export function withoutMark(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

/** The beginning of a text, one sign a byte and without a byte order mark, so that it can be looked at before the character set is known. */
export function decodeHead(bytes: Uint8Array): string {
  const order = wideOrder(bytes);
  return decodeBytewise(withoutMark(order === undefined ? bytes : narrowed(bytes, order)));
}

/** One sign a byte. */
export function decodeBytewise(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK) parts.push(String.fromCharCode(...bytes.subarray(at, at + CHUNK)));
  return parts.join('');
}

/** Arguments of one call. */
const CHUNK = 8192;

import { narrowed, wideOrder, widened } from './wide-text.js';

/** The character sets read, by their names in HL7 table 0211 (MSH-18) and in an XML declaration. */
const utf8Names = new Set(['', 'ASCII', 'UNICODE UTF-8', 'UTF-8', 'UTF8']);
const utf16Names = new Set(['UNICODE UTF-16', 'UNICODE', 'UTF-16', 'UTF-16LE', 'UTF-16BE']);
const isUtf16 = (name: string): boolean => utf16Names.has(name.trim().toUpperCase());

/** Sets of one byte a sign whose lower half is ASCII: those of ISO 8859 (there is no twelfth; TextDecoder has no eleventh of its own). */
const partOf = (name: string): number => Number(/^(?:8859\/|ISO-8859-)([1-9]|1[03456])$/.exec(name)?.[1] ?? 0);

/** Where ISO 8859-15 and 8859-9 differ from 8859-1. */
const latin9Signs: Signs = { 0xa4: '€', 0xa6: 'Š', 0xa8: 'š', 0xb4: 'Ž', 0xb8: 'ž', 0xbc: 'Œ', 0xbd: 'œ', 0xbe: 'Ÿ' };
const latin5Signs: Signs = { 0xd0: 'Ğ', 0xdd: 'İ', 0xde: 'Ş', 0xf0: 'ğ', 0xfd: 'ı', 0xfe: 'ş' };
type Signs = Readonly<Record<number, string>>;

/**
 * A whole text, in the character set that it names itself; undefined where the set is not known or the bytes are no text in it. UTF-16 is
 * known by its bytes: it is read where the name is of it, or none is.
 */
export function decodeText(bytes: Uint8Array, name: string): string | undefined {
  const order = wideOrder(bytes);
  if (order === undefined) return decodeCharset(withoutMark(bytes), name);
  return name.trim() === '' || isUtf16(name) ? checked(order, bytes) : undefined;
}

/**
 * Decodes `bytes` in the character set that MSH-18 names; undefined where the set is not known, is UTF-16 (of which a part says nothing of its
 * order), or the bytes are no text in it. Without a name the standard says ASCII; UTF-8, which holds ASCII, is read then, and checked.
 */
export function decodeCharset(bytes: Uint8Array, name: string): string | undefined {
  const set = name.trim().toUpperCase();
  if (set === 'ASCII') return bytes.every((byte) => byte < 0x80) ? checked('utf-8', bytes) : undefined;
  if (utf8Names.has(set)) return checked('utf-8', bytes);
  return ofPart(bytes, partOf(set));
}

/**
 * Decodes what an escape sequence gives as hexadecimal digits. In a message of UTF-16 nothing says whether they are bytes or signs: only what can
 * be nothing but tabs and line ends is read there, and all else stays as it came.
 */
export function decodeEscaped(bytes: Uint8Array, name: string): string | undefined {
  if (!isUtf16(name)) return decodeCharset(bytes, name);
  return bytes.every((byte) => [0x09, 0x0a, 0x0d].includes(byte)) ? decodeBytewise(bytes) : undefined;
}

/**
 * Writes a text in the character set that MSH-18 names; in UTF-8 where it names none that is read. What the set has no byte for becomes `?`.
 */
export function encodeCharset(text: string, name: string): Uint8Array {
  const encoded = encoder(name);
  return encoded instanceof Function ? encoded(text) : Uint8Array.from(text, (sign) => byteOf(sign, encoded) ?? '?'.charCodeAt(0));
}

/** As `encodeCharset`, or where in the text the first sign stands that the set has no byte for. */
export function encodeExactly(text: string, name: string): Uint8Array | number {
  const encoded = encoder(name);
  // Half of a pair of surrogates is no sign of any set.
  if (encoded instanceof Function) return /\p{Surrogate}/u.exec(text)?.index ?? encoded(text);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at += 1) {
    const byte = byteOf(text.charAt(at), encoded);
    if (byte === undefined) return at;
    bytes[at] = byte;
  }
  return bytes;
}

/** A Unicode form holds every sign; another set has a byte for each of those above ASCII that it holds. */
function encoder(name: string): ((text: string) => Uint8Array) | ReadonlyMap<string, number> {
  const set = name.trim().toUpperCase();
  if (isUtf16(name)) return (text) => widened(new TextEncoder().encode(`\ufeff${text}`), 'utf-16be');
  const part = partOf(set);
  if (part === 0 && set !== 'ASCII') return (text) => new TextEncoder().encode(text);
  return part === 0 ? new Map<string, number>() : upperHalf(part);
}

const byteOf = (sign: string, upper: ReadonlyMap<string, number>): number | undefined =>
  sign < '\x80' ? sign.charCodeAt(0) : upper.get(sign);

/** The name of a set of HL7 table 0211 with IANA, as a media type has it (RFC 6657). */
export function ianaName(name: string): string {
  const set = name.trim().toUpperCase();
  if (set === 'ASCII') return 'us-ascii';
  if (isUtf16(name)) return 'utf-16';
  const part = partOf(set);
  return part === 0 ? 'utf-8' : `iso-8859-${part}`;
}

function upperHalf(part: number): ReadonlyMap<string, number> {
  const bytes = Array.from({ length: 0x80 }, (_, i) => 0x80 + i);
  return new Map(
    bytes.flatMap((byte) => [ofPart(Uint8Array.of(byte), part)].flatMap((sign) => (sign === undefined ? [] : [[sign, byte]]))),
  );
}

/** Not TextDecoder for 1 and 9: there these names mean Windows-1252 and 1254 (WHATWG Encoding §4.2). */
function ofPart(bytes: Uint8Array, part: number): string | undefined {
  switch (part) {
    case 0:
      return undefined;
    case 1:
      return decodeBytewise(bytes);
    case 9:
      return withSigns(bytes, latin5Signs);
    case 15:
      return withSigns(bytes, latin9Signs);
    default:
      return checked(`iso-8859-${part}`, bytes);
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

function checked(label: string, bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder(label, { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

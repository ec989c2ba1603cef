/** The character sets read, by their names in HL7 table 0211 (MSH-18). */
const utf8Names = new Set(['', 'ASCII', 'UNICODE UTF-8', 'UTF-8', 'UTF8']);
const latin1Names = new Set(['8859/1', 'ISO-8859-1']);
const latin9Names = new Set(['8859/15', 'ISO-8859-15']);

/** The eight places where ISO 8859-15 differs from 8859-1. */
const latin9Signs: Readonly<Record<number, string>> = {
  0xa4: '€',
  0xa6: 'Š',
  0xa8: 'š',
  0xb4: 'Ž',
  0xb8: 'ž',
  0xbc: 'Œ',
  0xbd: 'œ',
  0xbe: 'Ÿ',
};

/**
 * Decodes `bytes` in the character set that MSH-18 names; undefined where the set is not known or the bytes are no text in
 * it. Without a name the standard says ASCII; UTF-8, which holds ASCII, is read then, and checked.
 */
export function decodeCharset(bytes: Uint8Array, name: string): string | undefined {
  const set = name.trim().toUpperCase();
  if (set === 'ASCII') return bytes.every((byte) => byte < 0x80) ? utf8(bytes) : undefined;
  if (utf8Names.has(set)) return utf8(bytes);
  if (latin1Names.has(set)) return latin1(bytes);
  if (latin9Names.has(set)) return latin9(bytes);
  return undefined;
}

/** The bytes without a UTF-8 byte order mark. */
export function withoutMark(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

/** One sign a byte, so that the header can be read before the character set is known. */
export function decodeBytewise(bytes: Uint8Array): string {
  return latin1(bytes);
}

function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Not TextDecoder: there ISO-8859-1 means Windows-1252 (WHATWG Encoding §4.2). */
function latin1(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK) parts.push(String.fromCharCode(...bytes.subarray(at, at + CHUNK)));
  return parts.join('');
}

/** Arguments of one call. */
const CHUNK = 8192;

const latin9 = (bytes: Uint8Array): string =>
  latin1(bytes).replace(/[\xa4\xa6\xa8\xb4\xb8\xbc-\xbe]/g, (sign) => latin9Signs[sign.charCodeAt(0)] ?? sign);

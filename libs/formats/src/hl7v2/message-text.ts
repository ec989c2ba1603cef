import { PortolanError } from '@portolan/contracts';
import { decodeSwitched } from '../bytes/charset-switches.js';
import { decodeCharset, decodeHead, decodeText, isReadCharset, withoutMark } from '../bytes/charset.js';
import { wideOrder } from '../bytes/wide-text.js';

/** Which character sets a message says that it is in. */
interface DeclaredCharsets {
  /** MSH-18: the first is that of the message, '' where it names none; to the others it changes by sequences. */
  readonly names: readonly string[];
  /** MSH-20: how it changes (HL7 table 0356); '' where it does not. */
  readonly scheme: string;
}

/** So much of a message is looked at for its first line. */
const MAX_HEAD = 4096;
/** Where HL7's escape character stands: `MSH|^~\`. */
const ESCAPE_AT = 6;

/**
 * A message's bytes as text, in the character sets that it names itself. Throws PortolanError `ingest.charset-unsupported` where one of them is not
 * read, `ingest.encoding-invalid` where the bytes are no text in them.
 */
export function messageText(bytes: Uint8Array): string {
  const declared = declaredBy(bytes);
  const [name = ''] = declared.names;
  const plain = withoutMark(bytes);
  const text =
    isSwitched(declared) && wideOrder(bytes) === undefined
      ? decodeSwitched(plain, (part) => decodeCharset(part, name), plain[ESCAPE_AT])
      : decodeText(bytes, name);
  if (text !== undefined) return text;
  const unread = declared.names.find((one) => !isReadCharset(one));
  throw unread === undefined
    ? new PortolanError('ingest.encoding-invalid', 'MSH-18')
    : new PortolanError('ingest.charset-unsupported', 'MSH-18');
}

/** MSH-18 and MSH-20 of the first line. */
function declaredIn(head: string): DeclaredCharsets {
  const line = head.split(/[\r\n]/, 1)[0] ?? '';
  const [field, repetition] = [line.charAt(3), line.charAt(5)];
  const fields = field === '' ? [] : line.split(field);
  const set = fields[17] ?? '';
  return { names: repetition === '' ? [set] : set.split(repetition), scheme: fields[19] ?? '' };
}

/** Sets that have no sign of their own below two bytes are reached by sequences, whether MSH-20 says so or not. */
const isSwitched = ({ names, scheme }: DeclaredCharsets): boolean =>
  names.length > 1 || scheme !== '' || /^(?:ISO IR(?:87|159)|JIS X 0202)$/i.test(names[0]?.trim() ?? '');

/** Sets in which a byte that looks like a delimiter may be half a sign: what they say of themselves shows only when they are read. */
const hiding = ['BIG-5', 'GB 18030-2000'];

function declaredBy(bytes: Uint8Array): DeclaredCharsets {
  const line = firstLine(bytes);
  const declared = declaredIn(decodeHead(line));
  if (declared.names[0] !== '' && isReadCharset(declared.names[0] ?? '')) return declared;
  if (line.every((byte) => byte < 0x80)) return declared;
  const read = hiding.map((name) => declaredIn(decodeCharset(line, name) ?? ''));
  return read.find(({ names }, i) => names[0]?.toUpperCase() === hiding[i]) ?? declared;
}

/** The first line, where it ends within what is looked at; of UTF-16, in which each byte of a line end may be half of another sign, all of that. */
function firstLine(bytes: Uint8Array): Uint8Array {
  const head = bytes.subarray(0, MAX_HEAD);
  if (wideOrder(head) !== undefined) return head;
  const end = head.findIndex((byte) => byte === 0x0d || byte === 0x0a);
  return end < 0 ? head : head.subarray(0, end);
}

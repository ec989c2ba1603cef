import { PortolanError } from '@portolan/contracts';
import { decodeEscaped } from '../bytes/charset.js';
import { unescapeText } from './escapes.js';
import { messageText } from './message-text.js';
import { readSeparators, type Separators } from './separators.js';

/** One segment, its fields as they stand in the message (escapes unresolved). */
export interface Hl7Segment {
  /** What stands before the first field separator. */
  readonly name: string;
  /** Split at the field separator; `parts[0]` is the name. For MSH `parts[1]` is MSH-2, since the separator itself is MSH-1. */
  readonly parts: readonly string[];
  /** CR, LF, CR LF or, at the end of the message, nothing. */
  readonly terminator: string;
}

/** A message split into segments, nothing resolved and nothing lost: `serialiseHl7` gives the text back exactly. */
export interface Hl7Message {
  readonly separators: Separators;
  /** MSH-18, its first repetition. */
  readonly charset: string;
  readonly segments: readonly Hl7Segment[];
}

export interface Hl7ReadOptions {
  readonly maxBytes: number;
  /** What ends a segment: CR alone, as the standard says, or LF and CR LF as well (files, careless senders). */
  readonly terminators: 'cr' | 'any';
}

const maxSegments = 20_000;

/** Decodes and splits a message. Throws PortolanError ingest.too-large, ingest.charset-unsupported, ingest.encoding-invalid or ingest.malformed. */
export function readHl7(bytes: Uint8Array, options: Hl7ReadOptions): Hl7Message {
  if (bytes.length > options.maxBytes) throw new PortolanError('ingest.too-large', 'message', `more than ${options.maxBytes} bytes`);
  return parseHl7(messageText(bytes), options);
}

/** Splits a message's text. Throws PortolanError ingest.malformed or ingest.too-large. */
export function parseHl7(text: string, { terminators }: Pick<Hl7ReadOptions, 'terminators'>): Hl7Message {
  if (!text.startsWith('MSH')) throw new PortolanError('ingest.malformed', 'MSH', 'the message does not start with MSH');
  const separators = readSeparators(text);
  if (separators === undefined) throw new PortolanError('ingest.malformed', 'MSH-2', 'no usable encoding characters');
  const segments: Hl7Segment[] = [];
  const end = terminators === 'cr' ? /\r/g : /\r\n|\r|\n/g;
  for (const { line, terminator } of lines(text, end)) {
    if (segments.length >= maxSegments) throw new PortolanError('ingest.too-large', 'message', `more than ${maxSegments} segments`);
    const parts = line.split(separators.field);
    segments.push({ name: parts[0] ?? '', parts, terminator });
  }
  return { separators, charset: segments[0]?.parts[17]?.split(separators.repetition)[0] ?? '', segments };
}

/** The message's text, exactly as it was read. */
export function serialiseHl7(message: Hl7Message): string {
  return message.segments.map(({ parts, terminator }) => parts.join(message.separators.field) + terminator).join('');
}

function* lines(text: string, end: RegExp): Generator<{ line: string; terminator: string }> {
  let at = 0;
  for (const match of text.matchAll(end)) {
    yield { line: text.slice(at, match.index), terminator: match[0] };
    at = match.index + match[0].length;
  }
  if (at < text.length) yield { line: text.slice(at), terminator: '' };
}

/** Field `number` of a segment as it stands in the message; '' where it is absent. */
export function rawField(segment: Hl7Segment, number: number, separators: Separators): string {
  if (segment.name !== 'MSH') return segment.parts[number] ?? '';
  return number === 1 ? separators.field : (segment.parts[number - 1] ?? '');
}

/** First repetition's component of a field, escapes resolved; '' where it is absent. */
export function componentText(
  message: Hl7Message,
  segment: Hl7Segment | undefined,
  field: number,
  component = 1,
  subcomponent = 1,
): string {
  if (segment === undefined) return '';
  const { separators } = message;
  const repetition = rawField(segment, field, separators).split(separators.repetition)[0] ?? '';
  const parts = (repetition.split(separators.component)[component - 1] ?? '').split(separators.subcomponent);
  return unescapeText(parts[subcomponent - 1] ?? '', separators, (bytes) => decodeEscaped(bytes, message.charset));
}

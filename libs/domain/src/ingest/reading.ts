import { PortolanError, type ErrorCode, type FormatName, type Instant } from '@portolan/contracts';
import {
  DEFAULT_MAX_BYTES,
  decodeHead,
  detectFormat,
  headerProblem,
  parseHl7,
  readHeader,
  readHl7,
  translate,
  type CountryPack,
  type FhirJudge,
  type Hl7Message,
  type Sha256Hex,
  type Translation,
} from '@portolan/formats';

/** Something that keeps a message, or one entry of it, from being used: a code and a place in the message, never a value. */
export interface IngestProblem {
  readonly code: ErrorCode;
  readonly path: string;
  readonly severity: 'entry' | 'document';
}

/** What can be said of every message, also of one that cannot be read. */
export interface ReadHead {
  readonly format: FormatName | 'unknown';
  /** The sender's own id of the message, `` where none is to be found. */
  readonly controlId: string;
  /** HL7 v2: `MSH-3|MSH-4`, the name under which a node's configuration lists a sender. */
  readonly sender: string | undefined;
  /** HL7 v2: what an acknowledgement answers to; of a message that cannot be read whole, its header alone. */
  readonly hl7: Hl7Message | undefined;
}

/** A message read and translated; sent as a test (MSH-11 T or D), so that nothing of it is production data; or of no use as it is. */
export type Reading = ReadHead &
  (
    | { readonly kind: 'usable'; readonly translation: Translation }
    | { readonly kind: 'test' }
    | { readonly kind: 'unusable'; readonly problems: readonly IngestProblem[] }
  );

export interface ReadingInput {
  readonly bytes: Uint8Array;
  readonly country: CountryPack;
  readonly sha256: Sha256Hex;
  readonly received: Instant;
  /** Whether a foreign resource is FHIR R4; without it FHIR is a format that is not read. */
  readonly judge?: FhirJudge;
  /** The authenticated sender, where the message need not name it. */
  readonly source?: string | undefined;
  /** Largest message that is translated; a larger one is of no use, and kept. */
  readonly maxBytes?: number;
}

/** Reads one message in whichever format it is. Never throws: what cannot be read says so, with code and place. */
export function readMessage(input: ReadingInput): Reading {
  const format = detectFormat(input.bytes, input.country.extracts);
  if (format === undefined) return unusable(unknownHead, [{ code: 'ingest.format-unknown', path: 'message', severity: 'document' }]);
  return format === 'hl7v2' ? readHl7Message(input) : translated({ ...unknownHead, format }, input);
}

/** What can be said of a message without translating it. */
export function readHead(bytes: Uint8Array): ReadHead {
  const format = detectFormat(bytes);
  if (format === undefined) return unknownHead;
  return format === 'hl7v2' ? hl7Head(headerAlone(bytes)) : { ...unknownHead, format };
}

const unknownHead: ReadHead = { format: 'unknown', controlId: '', sender: undefined, hl7: undefined };
const unusable = (head: ReadHead, problems: readonly IngestProblem[]): Reading => ({ ...head, kind: 'unusable', problems });

function readHl7Message(input: ReadingInput): Reading {
  const whole = attempt(() => readHl7(input.bytes, { maxBytes: maxBytesOf(input), terminators: 'any' }));
  const head = hl7Head(whole instanceof PortolanError ? headerAlone(input.bytes) : whole);
  if (whole instanceof PortolanError) return unusable(head, [problemOf(whole)]);
  const problem = headerProblem(readHeader(whole));
  if (problem !== undefined) return unusable(head, [{ ...problem, severity: 'document' }]);
  return readHeader(whole).processing === 'P' ? translated(head, input) : { ...head, kind: 'test' };
}

function translated(head: ReadHead, input: ReadingInput): Reading {
  const { bytes, country, sha256, received, judge, source } = input;
  const who = { ...(judge !== undefined && { judge }), ...(source !== undefined && { source }) };
  const translation = attempt(() => translate({ bytes, format: 'auto', country, sha256, received, maxBytes: maxBytesOf(input), ...who }));
  if (translation instanceof PortolanError) return unusable(head, [problemOf(translation)]);
  const read = { ...head, controlId: head.controlId === '' ? bounded(translation.message.id) : head.controlId };
  const { rejects } = translation.account;
  const problems = rejects.map(({ code, path, severity }) => ({ code, path, severity }));
  return problems.some(({ severity }) => severity === 'document') ? unusable(read, problems) : { ...read, kind: 'usable', translation };
}

/** An error of a reader is an answer here; a fault of ours is none, and goes on. */
function attempt<T>(work: () => T): T | PortolanError {
  try {
    return work();
  } catch (error) {
    if (error instanceof PortolanError) return error;
    throw error;
  }
}

const maxBytesOf = ({ maxBytes = DEFAULT_MAX_BYTES }: ReadingInput): number => maxBytes;
const problemOf = ({ code, where }: PortolanError): IngestProblem => ({ code, path: where, severity: 'document' });

/** Names come from outside and go into a row and a list: no control characters, at most 200 signs. */
const bounded = (text: string): string => text.replace(/\p{Cc}/gu, '').slice(0, 200);

function hl7Head(message: Hl7Message | undefined): ReadHead {
  if (message === undefined) return { ...unknownHead, format: 'hl7v2' };
  const { controlId, sendingApplication, sendingFacility } = readHeader(message);
  return { format: 'hl7v2', controlId: bounded(controlId), sender: bounded(`${sendingApplication}|${sendingFacility}`), hl7: message };
}

const MAX_HEADER = 4096;

/** MSH of bytes that are no text in their character set, or too many: one sign a byte, so that the sender can be answered. */
function headerAlone(bytes: Uint8Array): Hl7Message | undefined {
  const line = decodeHead(bytes.subarray(0, MAX_HEADER)).split(/[\r\n]/, 1)[0] ?? '';
  const message = attempt(() => parseHl7(line, { terminators: 'any' }));
  return message instanceof PortolanError ? undefined : message;
}

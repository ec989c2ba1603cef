import { errorRegistry, PortolanError, type ErrorCode, type ErrorEntry, type Instant } from '@portolan/contracts';
import type { Finding, Reject } from '../engine/index.js';
import { escapeText } from './escapes.js';
import { headerProblem, readHeader, type Hl7Header } from './header.js';
import { componentText, rawField, type Hl7Message } from './message.js';
import { recommendedSeparators, type Separators } from './separators.js';

/** One error of an acknowledgement: a code of the registry and the place. Never a value of the message. */
export interface AckError {
  readonly code: ErrorCode;
  /** Path as in a translation's account, such as `PID-7` or `OBX[3]-5[2].1`; '' where no place is known. */
  readonly path: string;
  readonly severity: 'E' | 'W' | 'I';
}

/** What becomes of a message: accepted, its content refused, or itself refused (type, processing id, version). */
export interface AckVerdict {
  readonly outcome: 'accept' | 'error' | 'reject';
  readonly errors: readonly AckError[];
}

/** Codes of HL7 table 0357 that refuse the message itself, not its content. */
const rejecting = new Set(['200', '201', '202', '203']);

/** The verdict on a message's header: MSH-9, MSH-10, MSH-11, MSH-12 (HL7 v2.8 §2.9.2.1). */
export function headerVerdict(message: Hl7Message): AckVerdict | undefined {
  const problem = headerProblem(readHeader(message));
  return problem === undefined ? undefined : verdictOf([{ ...problem, severity: 'document' }]);
}

/**
 * The verdict on a translation's rejects: one of severity `document` refuses the message; entries alone are told as
 * warnings beside the acceptance, since the rest was stored.
 */
export function verdictOf(rejects: readonly Pick<Reject, 'code' | 'path' | 'severity'>[]): AckVerdict {
  const fatal = rejects.filter((reject) => reject.severity === 'document');
  if (fatal.length === 0) return { outcome: 'accept', errors: rejects.map(({ code, path }) => ({ code, path, severity: 'W' })) };
  const outcome = fatal.some(({ code }) => rejecting.has(entryOf(code).hl7 ?? '')) ? 'reject' : 'error';
  return { outcome, errors: fatal.map(({ code, path }) => ({ code, path, severity: 'E' })) };
}

/** The verdict on a message that could not be read: the error that the reader threw. */
export function unreadableVerdict(error: PortolanError): AckVerdict {
  return verdictOf([{ code: error.code, path: error.where, severity: 'document' }]);
}

/** Warnings of a translation as errors of severity `I` for an acknowledgement, if a sender wants them told. */
export function informationOf(findings: readonly Finding[]): AckError[] {
  return findings.map(({ code, path }) => ({ code, path, severity: 'I' }));
}

export interface AckInput {
  /** The message acknowledged; undefined where it could not be read. */
  readonly message: Hl7Message | undefined;
  readonly verdict: AckVerdict;
  readonly now: Instant;
  /** MSH-10 of the acknowledgement. */
  readonly controlId: string;
  /**
   * Which acknowledgement of enhanced mode: `commit` (accept, CA/CE/CR) when the message is safely taken over, or
   * `application` (AA/AE/AR) when its content was dealt with. In original mode there is only the latter.
   */
  readonly level?: 'commit' | 'application';
}

/** Whether the sender speaks enhanced mode: MSH-15 or MSH-16 is valued (HL7 v2.8 §2.9.3). */
export function isEnhanced(message: Hl7Message): boolean {
  const { acceptAck, applicationAck } = readHeader(message);
  return acceptAck !== '' || applicationAck !== '';
}

/** Whether the sender wants this acknowledgement (HL7 table 0155: AL, NE, ER, SU). In original mode always. */
export function isWanted(message: Hl7Message | undefined, verdict: AckVerdict, level: 'commit' | 'application'): boolean {
  if (message === undefined || !isEnhanced(message)) return level === 'application';
  const header = readHeader(message);
  const condition = level === 'commit' ? header.acceptAck : header.applicationAck;
  switch (condition) {
    case 'AL':
      return true;
    case 'ER':
      return verdict.outcome !== 'accept';
    case 'SU':
      return verdict.outcome === 'accept';
    default:
      return false;
  }
}

/**
 * The acknowledgement of a message, in the sender's own delimiters and version, segments ended by CR. Sender and receiver
 * change places; MSA-2 is the message's control id. ERR stands in the form of its version: ERR-1 up to 2.4, ERR-2 to ERR-8 from 2.5.
 */
export function buildAck(input: AckInput): string {
  const separators = input.message?.separators ?? recommendedSeparators;
  const header = input.message === undefined ? undefined : readHeader(input.message);
  const version = header !== undefined && /^2\.\d(\.\d)?$/.test(header.version) ? header.version : '2.5.1';
  const segments = [
    ackHeader(input, separators, header, version),
    [
      'MSA',
      ackCode(input),
      escapeText(header?.controlId ?? '', separators),
      ...(usesOldErr(version) ? [oldText(input.verdict, separators)] : []),
    ],
    ...errSegments(input.verdict.errors, version, separators),
  ];
  return segments.map((fields) => `${joinFilled(fields, separators.field)}\r`).join('');
}

/** Joins without the empty ones at the end, as the standard allows (HL7 v2.8 §2.5.3). */
function joinFilled(parts: readonly string[], separator: string): string {
  return parts.slice(0, parts.findLastIndex((part) => part !== '') + 1).join(separator);
}

function ackHeader(
  { message, now, controlId }: AckInput,
  separators: Separators,
  header: Hl7Header | undefined,
  version: string,
): string[] {
  const { component, repetition, escape, subcomponent, truncation = '' } = separators;
  const raw = (field: number): string => (message?.segments[0] === undefined ? '' : rawField(message.segments[0], field, separators));
  const event = header?.triggerEvent ?? '';
  const type = ['ACK', ...(event === '' ? [] : [escapeText(event, separators)]), ...(event === '' || version < '2.4' ? [] : ['ACK'])].join(
    component,
  );
  const processing = message === undefined ? 'P' : raw(11);
  return [
    'MSH',
    `${component}${repetition}${escape}${subcomponent}${truncation}`,
    raw(5),
    raw(6),
    raw(3),
    raw(4),
    `${now.replace(/[-:TZ]|\.\d+/g, '')}+0000`,
    '',
    type,
    escapeText(controlId, separators),
    processing === '' ? 'P' : processing,
    version,
    ...(raw(18) === '' ? [] : ['', '', '', '', '', raw(18)]),
  ];
}

function ackCode({ message, verdict, level = 'application' }: AckInput): string {
  const letter = { accept: 'A', error: 'E', reject: 'R' }[verdict.outcome];
  return `${level === 'commit' && message !== undefined && isEnhanced(message) ? 'C' : 'A'}${letter}`;
}

/** MSA-3, in use before ERR could hold a text. */
function oldText({ errors }: AckVerdict, separators: Separators): string {
  const [first] = errors;
  return first === undefined ? '' : escapeText(entryOf(first.code).what, separators);
}

function usesOldErr(version: string): boolean {
  return /^2\.[0-4](\.|$)/.test(version);
}

function errSegments(errors: readonly AckError[], version: string, separators: Separators): string[][] {
  const told = errors.slice(0, 50);
  if (told.length === 0) return [];
  if (usesOldErr(version)) return [['ERR', told.map((error) => oldErr(error, separators)).join(separators.repetition)]];
  return told.map((error) => newErr(error, separators));
}

/** ERR-1 (ELD): segment, sequence, field, code as CE in subcomponents. */
function oldErr({ code, path }: AckError, separators: Separators): string {
  const { segment, sequence, field } = placeOf(path);
  const meaning = [entryOf(code).hl7 ?? '207', escapeText(entryOf(code).what, separators), 'HL70357'].join(separators.subcomponent);
  return [segment, sequence, field, meaning].join(separators.component);
}

/** ERR-2 location, ERR-3 code, ERR-4 severity, ERR-5 our code, ERR-7 diagnostic, ERR-8 what to do next. */
function newErr({ code, path, severity }: AckError, separators: Separators): string[] {
  const entry = entryOf(code);
  const place = placeOf(path);
  const location = [place.segment, place.sequence, place.field, place.repetition, place.component, place.subcomponent];
  const coded = (...parts: string[]): string => parts.map((part) => escapeText(part, separators)).join(separators.component);
  return [
    'ERR',
    '',
    joinFilled(location, separators.component),
    coded(entry.hl7 ?? '207', hl7Meaning(entry.hl7 ?? '207'), 'HL70357'),
    severity,
    coded(code, entry.what, 'L'),
    '',
    escapeText(code, separators),
    escapeText(entry.next, separators),
  ];
}

interface Place {
  readonly segment: string;
  readonly sequence: string;
  readonly field: string;
  readonly repetition: string;
  readonly component: string;
  readonly subcomponent: string;
}

const nowhere: Place = { segment: '', sequence: '', field: '', repetition: '', component: '', subcomponent: '' };

/** A path of the account as an error location (ERL). */
function placeOf(path: string): Place {
  const found = /([A-Z][A-Z0-9]{2})(?:\[(\d+)\])?(?:-(\d+)(?:\[(\d+)\])?(?:\.(\d+)(?:\.(\d+))?)?)?/.exec(path);
  if (found === null) return nowhere;
  const [, segment = '', sequence = '1', field = '', repetition = '1', component = '', subcomponent = ''] = found;
  return { segment, sequence, field, repetition: field === '' ? '' : repetition, component, subcomponent };
}

function entryOf(code: ErrorCode): ErrorEntry {
  return errorRegistry[code];
}

/** HL7 table 0357. */
function hl7Meaning(code: string): string {
  const meanings: Readonly<Record<string, string>> = {
    '100': 'Segment sequence error',
    '101': 'Required field missing',
    '102': 'Data type error',
    '103': 'Table value not found',
    '200': 'Unsupported message type',
    '201': 'Unsupported event code',
    '202': 'Unsupported processing id',
    '203': 'Unsupported version id',
    '204': 'Unknown key identifier',
    '205': 'Duplicate key identifier',
    '206': 'Application record locked',
    '207': 'Application internal error',
  };
  return meanings[code] ?? 'Application internal error';
}

/** Text of MSH-10, for callers that hold a message and need to name it. */
export function controlIdOf(message: Hl7Message): string {
  return componentText(message, message.segments[0], 10);
}

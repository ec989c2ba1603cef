import { PortolanError, type ErrorCode } from '@portolan/contracts';
import { offsetOf } from '../engine/times.js';
import type { SourceHeader } from '../engine/index.js';
import { componentText, type Hl7Message } from './message.js';
import structures from './structures/structures.json' with { type: 'json' };

/** What MSH says, as texts; '' where a field is empty. */
export interface Hl7Header {
  readonly sendingApplication: string;
  readonly sendingFacility: string;
  readonly receivingApplication: string;
  readonly receivingFacility: string;
  readonly sent: string;
  /** MSH-9.1, 9.2, 9.3 */
  readonly messageCode: string;
  readonly triggerEvent: string;
  readonly structure: string;
  readonly controlId: string;
  readonly processing: string;
  readonly version: string;
  /** MSH-15 and MSH-16, HL7 table 0155. */
  readonly acceptAck: string;
  readonly applicationAck: string;
}

export function readHeader(message: Hl7Message): Hl7Header {
  const text = (field: number, component = 1): string => componentText(message, message.segments[0], field, component);
  return {
    sendingApplication: text(3),
    sendingFacility: text(4),
    receivingApplication: text(5),
    receivingFacility: text(6),
    sent: text(7),
    messageCode: text(9),
    triggerEvent: text(9, 2),
    structure: text(9, 3),
    controlId: text(10),
    processing: text(11),
    version: text(12),
    acceptAck: text(15),
    applicationAck: text(16),
  };
}

/** Why a message must be rejected by its header alone, and where. */
export interface HeaderProblem {
  readonly code: ErrorCode;
  /** `MSH-12` */
  readonly path: string;
}

const versions = /^2\.(3(\.1)?|4|5(\.1)?|6|7(\.1)?|8(\.[12])?)$/;

/** The message types of which any event is read. */
const codes: ReadonlySet<string> = new Set(Object.keys(structures.events).map((event) => event.slice(0, event.indexOf('^'))));

/** Checks MSH-9, MSH-10, MSH-11 and MSH-12; the first problem, or undefined. */
export function headerProblem(header: Hl7Header): HeaderProblem | undefined {
  if (!codes.has(header.messageCode)) return { code: 'ingest.type-unsupported', path: 'MSH-9.1' };
  if (structureOf(header) === undefined) return { code: 'ingest.event-unsupported', path: 'MSH-9.2' };
  if (header.controlId === '') return { code: 'ingest.header-incomplete', path: 'MSH-10' };
  if (!/^[PTD]$/.test(header.processing)) return { code: 'ingest.processing-unsupported', path: 'MSH-11.1' };
  if (!versions.test(header.version)) return { code: 'ingest.version-unsupported', path: 'MSH-12.1' };
  return undefined;
}

/** The name of the structure that the message's type and event have, or undefined for a type that is not read. */
export function structureOf({ messageCode, triggerEvent }: Hl7Header): string | undefined {
  const events: Readonly<Record<string, string>> = structures.events;
  const name = `${messageCode}^${triggerEvent}`;
  return Object.hasOwn(events, name) ? events[name] : undefined;
}

/** HL7 v2.8.2 §3.3.24, §3.3.37, §3.3.43, §3.3.45. */
const linking: Readonly<Record<string, Pick<SourceHeader, 'persons'> | undefined>> = {
  'ADT^A24': { persons: 'linked' },
  'ADT^A37': { persons: 'parted' },
  'ADT^A43': { persons: 'moved' },
  'ADT^A45': { persons: 'stay-moved' },
};

/** The header in the engine's terms. Throws PortolanError ingest.header-incomplete where nothing says who sent what. */
export function sourceHeader(message: Hl7Message): SourceHeader {
  const header = readHeader(message);
  const organisation = sendingOrganisation(message);
  if (organisation === '') throw new PortolanError('ingest.header-incomplete', 'MSH-4');
  if (header.controlId === '') throw new PortolanError('ingest.header-incomplete', 'MSH-10');
  const type = `${header.messageCode}^${header.triggerEvent}`;
  const offset = offsetOf(header.sent);
  const recorded = recordedAt(message);
  return {
    id: header.controlId,
    type,
    processing: header.processing === 'T' || header.processing === 'D' ? header.processing : 'P',
    sender: {
      organisation,
      ...(header.sendingFacility !== '' && { name: header.sendingFacility }),
      ...(header.sendingApplication !== '' && { application: header.sendingApplication }),
    },
    supported: structureOf(header) !== undefined,
    ...linking[type],
    ...(offset !== undefined && { offset }),
    ...(header.sent !== '' && { sent: header.sent }),
    ...(recorded !== '' && { recorded }),
  };
}

/** EVN-2: when the event was entered at the sender. */
function recordedAt(message: Hl7Message): string {
  const event = message.segments.find(({ name }) => name === 'EVN');
  return event === undefined ? '' : componentText(message, event, 2, 1);
}

/** MSH-4, or MSH-3 where it is empty: the universal id where there is one, else the namespace. */
function sendingOrganisation(message: Hl7Message): string {
  for (const field of [4, 3]) {
    const universal = componentText(message, message.segments[0], field, 2);
    const name = universal === '' ? componentText(message, message.segments[0], field) : universal;
    if (name !== '') return name;
  }
  return '';
}

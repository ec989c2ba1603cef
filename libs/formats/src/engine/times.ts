import type { ErrorCode } from '@portolan/contracts';
import type { ConversionContext } from './conversion.js';

/** A time as FHIR writes it. */
export interface TimeReading {
  readonly value: string;
  /** The FHIR value says less than the source (its time of day had to be left out). */
  readonly partial: boolean;
  readonly note?: ErrorCode;
}

/** Fields of a time, as texts; `fraction` without its dot, `offset` as `+02:00` or `Z`. */
interface TimeFields {
  readonly year: string;
  readonly month: string | undefined;
  readonly day: string | undefined;
  readonly hour: string | undefined;
  readonly minute: string | undefined;
  readonly second: string | undefined;
  readonly fraction: string | undefined;
  readonly offset: string | undefined;
}

type Zones = Pick<ConversionContext, 'documentOffset' | 'assumedZone'>;

const compact = /^(\d{4})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:\.(\d{1,9}))?)?)?)?)?)?([+-]\d{4}|Z)?$/;
const iso = /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?([+-]\d{2}:\d{2}|Z)?)?)?)?$/;

function fieldsOf(text: string, pattern: RegExp): TimeFields | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const [, year = '', month, day, hour, minute, second, fraction, offset] = match as readonly (string | undefined)[];
  const fields = { year, month, day, hour, minute, second, fraction, offset: offset === undefined ? undefined : colonOffset(offset) };
  return isReal(fields) ? fields : undefined;
}

function colonOffset(offset: string): string {
  return /^[+-]\d{4}$/.test(offset) ? `${offset.slice(0, 3)}:${offset.slice(3)}` : offset;
}

/** Whether the calendar and the clock know this time. */
function isReal({ year, month = '01', day = '01', hour, minute, second, offset }: TimeFields): boolean {
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  const onCalendar = Number(year) >= 1000 && date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day);
  return onCalendar && isClock(hour, minute, second) && (offset === undefined || isOffset(offset));
}

function isClock(hour = '00', minute = '00', second = '00'): boolean {
  return Number(hour) <= 23 && Number(minute) <= 59 && Number(second) <= 59;
}

function isOffset(offset: string): boolean {
  return offset === 'Z' || (Number(offset.slice(1, 3)) <= 14 && Number(offset.slice(4)) <= 59);
}

function dateText({ year, month, day }: TimeFields): string {
  return [year, month, day].filter((part) => part !== undefined).join('-');
}

function clockText({ hour = '00', minute = '00', second = '00', fraction }: TimeFields): string {
  return `${hour}:${minute}:${second}${fraction === undefined ? '' : `.${fraction}`}`;
}

function toDate(fields: TimeFields | undefined): TimeReading | undefined {
  return fields === undefined ? undefined : { value: dateText(fields), partial: fields.hour !== undefined };
}

/** FHIR R4 dateTime: a time of day needs an offset, which is never invented silently. */
function toDateTime(fields: TimeFields | undefined, zones: Zones): TimeReading | undefined {
  if (fields === undefined) return undefined;
  if (fields.hour === undefined) return { value: dateText(fields), partial: false };
  const local = `${dateText(fields)}T${clockText(fields)}`;
  const stated = fields.offset ?? zones.documentOffset;
  if (stated !== undefined) return { value: `${local}${stated}`, partial: false };
  if (zones.assumedZone === undefined) return { value: dateText(fields), partial: true, note: 'translate.zone-unknown' };
  return { value: `${local}${offsetAt(local, zones.assumedZone)}`, partial: false, note: 'translate.zone-assumed' };
}

/** FHIR R4 instant: to the second at least. */
function toInstant(fields: TimeFields | undefined, zones: Zones): TimeReading | undefined {
  const reading = fields?.hour === undefined ? undefined : toDateTime(fields, zones);
  return reading?.value.includes('T') === true ? reading : undefined;
}

/** The offset that `zone` keeps at the wall-clock time `local`; of the two at the end of summer time, the first. */
export function offsetAt(local: string, zone: string): string {
  const wall = Date.parse(`${local.slice(0, 19)}Z`);
  const first = offsetMinutes(wall, zone);
  const settled = offsetMinutes(wall - first * 60_000, zone);
  const minutes = Math.abs(settled);
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${settled < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

function offsetMinutes(instant: number, zone: string): number {
  const parts = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' }).formatToParts(new Date(instant));
  const match = /GMT([+-])(\d{2}):(\d{2})/.exec(parts.find((part) => part.type === 'timeZoneName')?.value ?? '');
  if (match === null) return 0;
  const minutes = Number(match[2]) * 60 + Number(match[3]);
  return match[1] === '-' ? -minutes : minutes;
}

/** HL7 `YYYY[MM[DD…]]` as FHIR date. */
export function compactDate(text: string): TimeReading | undefined {
  return toDate(fieldsOf(text, compact));
}

/** HL7 `YYYY[MM[DD[HH[MM[SS[.S…]]]]]][±ZZZZ]` (v2 DTM, v3 TS) as FHIR dateTime. */
export function compactDateTime(text: string, zones: Zones): TimeReading | undefined {
  return toDateTime(fieldsOf(text, compact), zones);
}

export function compactInstant(text: string, zones: Zones): TimeReading | undefined {
  return toInstant(fieldsOf(text, compact), zones);
}

/** HL7 `HH[MM[SS[.S…]]]` as FHIR time. An offset has no place in FHIR's time: such a text does not fit. */
export function compactTime(text: string): TimeReading | undefined {
  const match = /^(\d{2})(?::?(\d{2})(?::?(\d{2})(\.\d{1,9})?)?)?$/.exec(text);
  if (match === null) return undefined;
  const [, hour = '', minute = '00', second = '00', fraction = ''] = match;
  return isClock(hour, minute, second) ? { value: `${hour}:${minute}:${second}${fraction}`, partial: false } : undefined;
}

export function isoDate(text: string): TimeReading | undefined {
  return toDate(fieldsOf(text, iso));
}

export function isoDateTime(text: string, zones: Zones): TimeReading | undefined {
  return toDateTime(fieldsOf(text, iso), zones);
}

export function isoTime(text: string): TimeReading | undefined {
  return /^\d{2}:/.test(text) ? compactTime(text) : undefined;
}

/** The offset of an HL7 time, as `+02:00`, where it states one. */
export function offsetOf(text: string): string | undefined {
  return fieldsOf(text, compact)?.offset;
}

/** All that a time may mean which is no more precise than its source wrote it: epoch milliseconds, first and last. */
export interface TimeSpan {
  readonly from: number;
  readonly to: number;
}

const DAY_MS = 86_400_000;

/** An HL7 time (v2 DTM, v3 TS) as the span that it may mean; undefined where its day or its offset is not known. */
export function compactSpan(text: string, zones: Zones): TimeSpan | undefined {
  const fields = fieldsOf(text, compact);
  if (fields?.day === undefined) return undefined;
  const local = `${dateText(fields)}T${clockText(fields)}`;
  const { assumedZone } = zones;
  const offset = fields.offset ?? zones.documentOffset ?? (assumedZone === undefined ? undefined : offsetAt(local, assumedZone));
  if (offset === undefined) return undefined;
  const from = Date.parse(`${local.slice(0, 23)}${offset}`);
  return { from, to: from + precisionMs(fields) - 1 };
}

function precisionMs({ hour, minute, second, fraction }: TimeFields): number {
  if (hour === undefined) return DAY_MS;
  if (minute === undefined) return 3_600_000;
  if (second === undefined) return 60_000;
  return fraction === undefined ? 1_000 : Math.max(1, 10 ** (3 - fraction.length));
}

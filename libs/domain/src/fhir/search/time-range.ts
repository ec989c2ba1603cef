import type { Instant } from '@portolan/contracts';

/** The zone in which a date without offset is meant. */
export interface TimeZone {
  /** Minutes that local time is ahead of UTC at the instant `utc` (milliseconds since the epoch). */
  offsetMinutes(utc: number): number;
}

export const UTC: TimeZone = { offsetMinutes: () => 0 };

/** An IANA zone such as `Europe/Tallinn`. Throws RangeError for an unknown name. */
export function ianaZone(name: string): TimeZone {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone: name,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  });
  return {
    offsetMinutes(utc: number): number {
      const at = Object.fromEntries(parts.formatToParts(new Date(utc)).map(({ type, value }) => [type, Number(value)]));
      const local = Date.UTC(at['year'] ?? 0, (at['month'] ?? 1) - 1, at['day'] ?? 1, at['hour'] ?? 0, at['minute'] ?? 0);
      return Math.round((local - Math.floor(utc / 60_000) * 60_000) / 60_000);
    },
  };
}

/** Milliseconds since the epoch: `start` included, `end` excluded. */
export interface TimeRange {
  readonly start: number;
  readonly end: number;
}

const DATE = /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:\d{2})?)?)?)?$/;

type Fields = readonly (string | undefined)[];

/**
 * The time that a FHIR date, dateTime or instant means, as wide as its precision: `2020-02` is a month of `zone`. Search
 * values may leave out seconds and offset (R4 §3.1.1.4.7). Undefined where `text` names no time between years 1 and 9999.
 */
export function timeRange(text: string, zone: TimeZone): TimeRange | undefined {
  const fields = DATE.exec(text);
  if (fields === null || !isPossible(fields)) return undefined;
  const start = startOf(fields);
  const end = endOf(fields, start);
  const toUtc = utcOf(fields[8], zone);
  return { start: toUtc(start), end: toUtc(end) };
}

const number = (text: string | undefined, otherwise: number): number => (text === undefined ? otherwise : Number(text));

/** Date.UTC without its reading of years below 100 as 19xx. */
function epoch(year: number, month: number, day: number, ms: number): number {
  return new Date(0).setUTCFullYear(year, month, day) + ms;
}

function isPossible([, year, month, day, hour, minute, second, , offset]: Fields): boolean {
  const [y, m, d] = [number(year, 0), number(month, 1), number(day, 1)];
  const lastDay = new Date(epoch(y, m, 0, 0)).getUTCDate();
  const timeFits = number(hour, 0) <= 23 && number(minute, 0) <= 59 && number(second, 0) <= 60;
  return y >= 1 && m >= 1 && m <= 12 && d >= 1 && d <= lastDay && timeFits && Math.abs(offsetOf(offset) ?? 0) <= 14 * 60;
}

/** Minutes of `Z` or `+02:00`; undefined without offset. */
function offsetOf(offset: string | undefined): number | undefined {
  if (offset === undefined) return undefined;
  if (offset === 'Z') return 0;
  const minutes = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(4, 6));
  return offset.startsWith('-') ? -minutes : minutes;
}

function startOf([, year, month, day, hour, minute, second, fraction]: Fields): number {
  const ms = Math.trunc(Number(`0.${fraction ?? '0'}`) * 1000 + 1e-6);
  const time = ((number(hour, 0) * 60 + number(minute, 0)) * 60 + number(second, 0)) * 1000 + ms;
  return epoch(number(year, 0), number(month, 1) - 1, number(day, 1), time);
}

function endOf([, year, month, day, hour, , second, fraction]: Fields, start: number): number {
  const y = number(year, 0);
  if (month === undefined) return epoch(y + 1, 0, 1, 0);
  if (day === undefined) return epoch(y, Number(month), 1, 0);
  if (hour === undefined) return start + 86_400_000;
  if (second === undefined) return start + 60_000;
  return start + (fraction === undefined ? 1000 : Math.max(1, 10 ** (3 - fraction.length)));
}

/** Local time to UTC: by the offset written, else by the zone's rules at that time. */
function utcOf(offset: string | undefined, zone: TimeZone): (local: number) => number {
  const written = offsetOf(offset);
  if (written !== undefined) return (local) => local - written * 60_000;
  return (local) => {
    const near = local - zone.offsetMinutes(local) * 60_000;
    return local - zone.offsetMinutes(near) * 60_000;
  };
}

const FIRST = -62_135_596_800_000;
const LAST = 253_402_300_799_999;

/** As every contract writes an instant; bounded to the years 1 to 9999, so that texts sort as times do. */
export function instantOf(epochMs: number): Instant {
  return new Date(Math.min(Math.max(epochMs, FIRST), LAST)).toISOString();
}

import { DecimalText } from '@portolan/domain';
import type { R4Definitions } from './r4-definitions.js';

/** R4 §2.24.0.1: a string holds at most 1 MB. Attachments are longer. */
const MAX_STRING = 1_048_576;
const NUMERIC: ReadonlySet<string> = new Set(['integer', 'unsignedInt', 'positiveInt']);
const CALENDAR: ReadonlySet<string> = new Set(['date', 'dateTime', 'instant']);
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
// Control characters but tab, line feed and carriage return: no XML can carry them (R4 §2.24.0.1 string).
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/;

/** Judges the JSON form of primitive values (R4 §2.24.0.1). */
export class PrimitiveForms {
  private readonly patterns = new Map<string, RegExp>();

  constructor(private readonly definitions: R4Definitions) {}

  /** What is wrong with `value` as a primitive of `type`, or undefined. Never quotes the value. */
  mistake(type: string, value: unknown): string | undefined {
    if (type === 'boolean') return typeof value === 'boolean' ? undefined : 'true or false is expected';
    if (type === 'decimal') return isNumber(value) ? undefined : 'a JSON number is expected';
    if (NUMERIC.has(type)) return this.integerMistake(type, value);
    if (typeof value !== 'string') return 'a JSON string is expected';
    return this.textMistake(type, value);
  }

  private integerMistake(type: string, value: unknown): string | undefined {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < -2_147_483_648 || value > 2_147_483_647)
      return 'a whole number of 32 bits is expected';
    return this.fits(type, String(value)) ? undefined : `not in the range of ${type}`;
  }

  private textMistake(type: string, value: string): string | undefined {
    if (value === '') return 'an empty string is no value';
    if (type === 'base64Binary') return isBase64(value) ? undefined : 'not base64';
    if (value.length > MAX_STRING) return 'longer than 1 MB';
    if (CONTROL.test(value)) return 'holds a control character';
    if (!this.fits(type, value)) return `not in the form of ${type}`;
    return CALENDAR.has(type) && !isDay(value) ? 'no day of the calendar' : undefined;
  }

  private fits(type: string, text: string): boolean {
    const known = this.patterns.get(type) ?? new RegExp(`^(?:${inJavaScript(this.definitions.pattern(type) ?? '.*')})$`, 's');
    this.patterns.set(type, known);
    return known.test(text);
  }
}

/** The published patterns mean white space as XML does; JavaScript's `\\s` takes in the no-break space, which texts may hold. */
const inJavaScript = (pattern: string): string =>
  pattern === '[ \\r\\n\\t\\S]+'
    ? '.+'
    : pattern.replaceAll('[^\\s]', '\\S').replaceAll('\\S', '[^ \\t\\r\\n]').replaceAll('\\s', '[ \\t\\r\\n]');

const isNumber = (value: unknown): boolean => value instanceof DecimalText || (typeof value === 'number' && Number.isFinite(value));

/** The published pattern of base64Binary takes exponential time; this one is linear. White space may stand anywhere. */
function isBase64(value: string): boolean {
  const bare = value.replace(/\s+/g, '');
  return bare.length % 4 === 0 && BASE64.test(bare);
}

function isDay(value: string): boolean {
  const [, year, month, day] = /^(\d{4})-(\d{2})-(\d{2})/.exec(value) ?? [];
  return day === undefined || Number(day) <= new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
}

import { namedBy, type IndexOptions } from './search-values.js';
import { normalised } from './search-value.js';
import { instantOf, timeRange, UTC } from './time-range.js';
import type { DateCriterion, SearchPrefix, QuantityCriterion, ReferenceCriterion, TokenCriterion } from './search-query.js';

/** Splits at `separator` where no backslash stands before it (R4 §3.1.1.4.3); escapes are kept for the next split. */
export function splitEscaped(text: string, separator: ',' | '|'): string[] {
  const parts = [''];
  for (let i = 0; i < text.length; i += 1) {
    const c = text[i] ?? '';
    if (c === '\\') {
      parts.push((parts.pop() ?? '') + c + (text[i + 1] ?? ''));
      i += 1;
    } else if (c === separator) parts.push('');
    else parts.push((parts.pop() ?? '') + c);
  }
  return parts;
}

export const unescaped = (text: string): string => text.replace(/\\([,|$\\])/g, '$1');

/** Reads one value of a parameter; undefined where it is not of the parameter's kind. */
export type CriterionReader<T> = (text: string, options: IndexOptions) => T | undefined;

export const readToken: CriterionReader<TokenCriterion> = (text) => {
  const parts = splitEscaped(text, '|').map(unescaped);
  const [first = '', second] = parts;
  if (parts.length > 2) return undefined;
  if (second === undefined) return first === '' ? undefined : { system: undefined, code: first };
  if (first === '' && second === '') return undefined;
  return { system: first === '' ? null : first, code: second === '' ? undefined : second };
};

const PREFIX = /^(eq|ne|lt|le|gt|ge|sa|eb)(?=[-\d.])/;

function prefixed(text: string): { prefix: SearchPrefix; rest: string } {
  const prefix = PREFIX.exec(text)?.[1] as SearchPrefix | undefined;
  return { prefix: prefix ?? 'eq', rest: prefix === undefined ? text : text.slice(2) };
}

export const readDate: CriterionReader<DateCriterion> = (text, options) => {
  const { prefix, rest } = prefixed(text);
  // A plus sign of an offset arrives as a space where the client did not encode it.
  const range = timeRange(rest.replace(/ (?=\d{2}:\d{2}$)/, '+'), options.zone ?? UTC);
  return range === undefined ? undefined : { prefix, start: instantOf(range.start), end: instantOf(range.end) };
};

export const readString: CriterionReader<string> = (text) => normalised(unescaped(text)) || undefined;
export const readExact: CriterionReader<string> = (text) => unescaped(text) || undefined;
export const readUri: CriterionReader<string> = (text) => unescaped(text) || undefined;

const ID = /^[A-Za-z0-9.-]{1,64}$/;

/** `Patient/1`, `1`, an address of this node, another address. `type` is that of the modifier (`subject:Patient`). */
export function readReference(type: string | undefined): CriterionReader<ReferenceCriterion> {
  return (escaped, options) => {
    const text = unescaped(escaped);
    if (ID.test(text)) return { by: 'id', type, id: text };
    const named = namedBy(text, options.base);
    if (named.url !== undefined) return isAddress(named.url) ? { by: 'url', url: named.url } : undefined;
    if (named.id === undefined || (type !== undefined && named.type !== type)) return undefined;
    return { by: 'id', type: named.type, id: named.id };
  };
}

const isAddress = (text: string): boolean => /^[a-z][a-z0-9+.-]*:\S+$/i.test(text);

export const readIdentifier: CriterionReader<ReferenceCriterion> = (text, options) => {
  const identifier = readToken(text, options);
  return identifier === undefined ? undefined : { by: 'identifier', identifier };
};

const DECIMAL = /^[+-]?\d{1,20}(?:\.(\d{1,20}))?(?:[eE]([+-]?\d{1,2}))?$/;

export const readNumber: CriterionReader<QuantityCriterion> = (text) => {
  const { prefix, rest } = prefixed(text);
  const [whole, decimals = '', exponent = '0'] = DECIMAL.exec(rest) ?? [];
  if (whole === undefined) return undefined;
  const value = Number(rest);
  const half = 0.5 * 10 ** (Number(exponent) - decimals.length);
  return { prefix, value, low: tidy(value - half), high: tidy(value + half), unit: undefined };
};

/** Takes off what binary arithmetic adds: 5.4 - 0.05 is 5.35. */
const tidy = (value: number): number => Number(value.toPrecision(15));

/** `5.4`, `5.4|http://unitsofmeasure.org|mg`, `5.4||mg` (R4 §3.1.1.4.13). */
export const readQuantity: CriterionReader<QuantityCriterion> = (text, options) => {
  const [number = '', system = '', code = '', ...rest] = splitEscaped(text, '|').map(unescaped);
  const criterion = readNumber(number, options);
  if (criterion === undefined || rest.length > 0 || (system !== '' && code === '')) return undefined;
  return code === '' ? criterion : { ...criterion, unit: { system: system === '' ? undefined : system, code } };
};

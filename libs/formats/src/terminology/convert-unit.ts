import { ucum } from '@atomic-ehr/ucum';
import { DecimalText } from '../engine/fhir.js';
import { isUcum } from './ucum.js';

/** Scales of temperature: a step stays a step, so that a converted value has as many places behind the point. */
const temperatures: ReadonlySet<string> = new Set(['Cel', '[degF]', 'K']);
/** A binary number is exact to so many digits. */
const MAX_DIGITS = 15;

/**
 * A decimal in another unit of UCUM of the same dimension, with as many significant digits as the source wrote (of temperatures as many places).
 * Undefined where that cannot be: another dimension, an arbitrary unit (`[IU]`) for another, a logarithmic scale, or more than 15 digits.
 */
export function convertUnit(value: DecimalText, from: string, to: string): DecimalText | undefined {
  if (from === to) return value;
  const isTemperature = temperatures.has(from) && temperatures.has(to);
  const digits = significantDigits(value.text);
  if (digits.length > MAX_DIGITS || !(isTemperature || isProportional(from, to))) return undefined;
  const converted = attempt(value.toNumber(), from, to);
  if (converted === undefined) return undefined;
  if (isTemperature) return new DecimalText(converted.toFixed(placesOf(value.text)));
  return digits === '' ? value : new DecimalText(converted.toPrecision(digits.length));
}

function attempt(value: number, from: string, to: string): number | undefined {
  try {
    const converted = ucum.isConvertible(from, to) ? ucum.convert(value, from, to) : Number.NaN;
    return Number.isFinite(converted) ? converted : undefined;
  } catch {
    return undefined;
  }
}

/** Neither a scale with a point of its own nor an arbitrary unit for another: nothing that a factor alone does not turn. */
function isProportional(from: string, to: string): boolean {
  if (!isUcum(from) || !isUcum(to)) return false;
  if (ucum.isSpecialUnit(from) || ucum.isSpecialUnit(to)) return false;
  return arbitraryOf(from) === arbitraryOf(to);
}

/** The arbitrary units in an expression, which UCUM (§3.2) makes convertible into nothing but themselves. */
function arbitraryOf(unit: string): string {
  const atoms = unit.match(/\[[^\]]+\]/g) ?? [];
  return [...new Set(atoms.filter((atom) => ucum.isArbitraryUnit(atom)).map((atom) => atom.toLowerCase()))].sort().join(' ');
}

/** Digits without sign, exponent, point and leading zeros; all that the source wrote count (R4 §2.24.0.1). */
const significantDigits = (text: string): string =>
  text
    .replace(/[eE].*$/, '')
    .replace(/[-.]/g, '')
    .replace(/^0+/, '');

const placesOf = (text: string): number => /^-?\d+\.(\d+)$/.exec(text)?.[1]?.length ?? 0;

/**
 * A decimal whose digits are kept as the source wrote them. FHIR R4 §2.24.0.1 makes the precision of a decimal part of its
 * meaning: 1.50 is not 1.5. `JSON.stringify` writes the digits verbatim (through JSON.rawJSON).
 */
export class DecimalText {
  constructor(readonly text: string) {
    if (!decimalPattern.test(text)) throw new RangeError('not a decimal as FHIR writes it');
  }

  toJSON(): unknown {
    return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(this.text);
  }

  /** The nearest binary number: to compare, never to write. */
  toNumber(): number {
    return Number(this.text);
  }
}

/** FHIR R4 decimal, which is also a JSON number. */
export const decimalPattern = /^-?(0|[1-9]\d{0,40})(\.\d{1,40})?([eE][+-]?\d{1,3})?$/;

export type FhirValue = string | number | boolean | DecimalText | FhirObject | FhirValue[];
export interface FhirObject {
  [element: string]: FhirValue;
}
export type FhirResource = FhirObject & { resourceType: string; id: string };

/** JSON text of a resource, bundle or part of one, decimals with their digits. */
export function toFhirJson(value: FhirValue): string {
  return JSON.stringify(value);
}

/**
 * Reads FHIR JSON so that writing it again gives the same digits: a number that JavaScript would write otherwise becomes a
 * DecimalText. Throws SyntaxError where `text` is not JSON. Bound size and depth before (`parseBounded` of contracts).
 */
export function fromFhirJson(text: string): FhirValue {
  const keepDigits = (_key: string, value: unknown, context?: { source?: string }): unknown =>
    typeof value === 'number' && context?.source !== undefined && context.source !== String(value)
      ? decimalOr(value, context.source)
      : value;
  return JSON.parse(text, keepDigits) as FhirValue;
}

function decimalOr(value: number, source: string): number | DecimalText {
  return decimalPattern.test(source) ? new DecimalText(source) : value;
}

/** Whether a value is an object with elements. FHIR JSON from outside may hold null (R4 §2.6.2.3), which is none. */
export function isFhirObject(value: FhirValue | null | undefined): value is FhirObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof DecimalText);
}

/** Whether two values say the same, digit by digit. */
export function sameFhir(a: FhirValue, b: FhirValue): boolean {
  return toFhirJson(a) === toFhirJson(b);
}

/** Whether an object at or below `value` is such a one: found without lists and paths, since for most questions there is none. */
export function someObject(value: FhirValue | null, isSuch: (object: FhirObject) => boolean): boolean {
  if (typeof value !== 'object' || value === null || value instanceof DecimalText) return false;
  if (Array.isArray(value)) return someOf(value, isSuch);
  if (isSuch(value)) return true;
  for (const name in value) {
    const one = value[name];
    if (typeof one === 'object' && someObject(one, isSuch)) return true;
  }
  return false;
}

function someOf(list: readonly FhirValue[], isSuch: (object: FhirObject) => boolean): boolean {
  for (const one of list) if (someObject(one, isSuch)) return true;
  return false;
}

import { DecimalText } from '@portolan/formats';
import { child, objects, text, type Json } from '../release/resource.js';

/** A number, with or without its digits; undefined for what is none. */
export function numberOf(value: Json | undefined): number | undefined {
  if (value instanceof DecimalText) return value.toNumber();
  return typeof value === 'number' ? value : undefined;
}

/** Systems with their codes, over several CodeableConcepts. */
function codesBySystem(concepts: readonly Json[]): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const coding of concepts.flatMap((concept) => objects(child(concept, 'coding')))) {
    const [system, code] = [text(coding, 'system'), text(coding, 'code')];
    if (system === undefined || code === undefined) continue;
    found.set(system, (found.get(system) ?? new Set()).add(code));
  }
  return found;
}

/**
 * Whether two lists of CodeableConcepts have a coding in common, and in each system that both use at least one: a shared ATC class with two
 * different products of one national list is two medicines.
 */
export function sharesCoding(a: readonly Json[], b: readonly Json[]): boolean {
  const [one, other] = [codesBySystem(a), codesBySystem(b)];
  const both = [...one].flatMap(([system, codes]) => {
    const theirs = other.get(system);
    return theirs === undefined ? [] : [[...codes].some((code) => theirs.has(code))];
  });
  return both.length > 0 && both.every(Boolean);
}

/** Two CodeableConcepts: by their codes, or by their words where neither has a code. */
export function sameConcept(a: Json, b: Json): boolean {
  if (codesBySystem([a]).size > 0 || codesBySystem([b]).size > 0) return sharesCoding([a], [b]);
  return text(a, 'text') !== undefined && text(a, 'text') === text(b, 'text');
}

/** Two Quantities: the same number of the same unit, nothing converted, `<` and `>` included. */
export function sameQuantity(a: Json, b: Json): boolean {
  const [one, other] = [numberOf(child(a, 'value')), numberOf(child(b, 'value'))];
  return one !== undefined && one === other && text(a, 'comparator') === text(b, 'comparator') && unitOf(a) === unitOf(b);
}

const unitOf = (quantity: Json): string => {
  const code = text(quantity, 'code');
  return code === undefined ? `unit ${text(quantity, 'unit') ?? ''}` : `${text(quantity, 'system') ?? ''}|${code}`;
};

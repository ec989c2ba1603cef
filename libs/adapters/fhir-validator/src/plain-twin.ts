import { DecimalText, type FhirObject, type FhirValue } from '@portolan/domain';

/** A tree with numbers for decimals, and the way from each value to its twin. */
export interface PlainTwin {
  readonly root: unknown;
  readonly of: (value: FhirValue) => unknown;
}

/** FHIRPath compares numbers; the tree that was judged keeps digits. Nothing of the twin is ever written. */
export function plainTwin(tree: FhirObject): PlainTwin {
  const twins = new Map<unknown, unknown>();
  const copy = (value: unknown): unknown => {
    if (value === null || typeof value !== 'object') return value;
    if (value instanceof DecimalText) return value.toNumber();
    const twin = Array.isArray(value)
      ? value.map(copy)
      : Object.fromEntries(Object.entries(value).map(([name, one]) => [name, copy(one)] as const));
    twins.set(value, twin);
    return twin;
  };
  return { root: copy(tree), of: (value) => (typeof value === 'object' ? (twins.get(value) ?? copy(value)) : value) };
}

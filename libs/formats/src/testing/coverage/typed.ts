import type { Draft } from '../../engine/drafts.js';
import type { SourceNode } from '../../engine/index.js';
import { factsOf, placeOf } from './facts.js';
import { rowsOfType, segmentRows } from './rows.js';

const byField = Map.groupBy(segmentRows, ({ source }) => source);

/** Whether a row leads from the value's field, and from its component where a data type is told of, to a FHIR element. */
function hasTarget(leaf: SourceNode): boolean {
  const { field, components } = placeOf(leaf);
  return (byField.get(field) ?? []).some(({ type }) => {
    const inner = rowsOfType(type);
    return inner.length === 0 || inner.some(({ source }) => Number(/\d+$/.exec(source)?.[0] ?? 0) === (components[0] ?? 1));
  });
}

/** How many values of a message have a row with a FHIR target, and how many of these stand in a typed element. */
export function typedValues(root: SourceNode, drafts: readonly Draft[]): { readonly values: number; readonly typed: number } {
  const mapped = new Set(factsOf(drafts).map(({ leaf }) => leaf));
  const values = root.leaves().filter((leaf) => !leaf.explicitNull && leaf.value?.trim() !== '' && hasTarget(leaf));
  return { values: values.length, typed: values.filter((leaf) => mapped.has(leaf)).length };
}

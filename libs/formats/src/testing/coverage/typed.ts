import type { SourceNode } from '../../engine/index.js';
import type { RunResult } from '../../engine/run.js';
import { exceptionOf } from './exceptions.js';
import { factsOf, placeOf } from './facts.js';
import { fieldsNear, isField } from './match.js';
import { holds, type Lookup } from './row-condition.js';
import { rowsOfType, segmentRows, type Row } from './rows.js';

/** How many values of a message have a place in FHIR, how many of these stand in a typed element, and which do not. */
export interface TypedValues {
  /** Values of a field for which the tables have any row with a target, whatever it demands. */
  readonly named: number;
  /**
   * Of these, values that a row takes: its condition holds or cannot be read, it writes no literal, and it is no exception. A code for which the
   * concept map of its element has no counterpart has no place, either.
   */
  readonly values: number;
  readonly typed: number;
  /** The same of `named`. */
  readonly typedOfNamed: number;
  readonly missing: readonly SourceNode[];
}

/** Counts the values of a message by the tables' rows and by what a translation made of them and told of them. */
export function typedValues(root: SourceNode, { drafts, warnings }: Pick<RunResult, 'drafts' | 'warnings'>): TypedValues {
  const unmapped = new Set(warnings.flatMap(({ code, path }) => (code === 'translate.code-unmapped' ? [path] : [])));
  const mapped = new Set(factsOf(drafts).map(({ leaf }) => leaf));
  const said = root.leaves().filter((leaf) => !leaf.explicitNull && leaf.value?.trim() !== '');
  const named = said.filter((leaf) => waysOf(leaf).length > 0);
  // What stands in a typed element has a place, whichever row we read otherwise.
  const hasPlace = (leaf: SourceNode): boolean => !unmapped.has(leaf.path) && waysOf(leaf).some((way) => leads(way, leaf));
  const values = named.filter((leaf) => mapped.has(leaf) || hasPlace(leaf));
  const missing = values.filter((leaf) => !mapped.has(leaf));
  return {
    named: named.length,
    values: values.length,
    typed: values.length - missing.length,
    typedOfNamed: named.filter((leaf) => mapped.has(leaf)).length,
    missing,
  };
}

const byField = Map.groupBy(segmentRows, ({ source }) => source);

/** The ways from a value into FHIR: a row of its field, and, where a data type tells of its component, the row of that. */
export function waysOf(leaf: SourceNode): (readonly Row[])[] {
  const { field, components } = placeOf(leaf);
  const rows = byField.get(field) ?? [];
  return rows.filter((row) => isOfMessage(row, leaf)).flatMap((row) => waysBelow(row, components).map((inner) => [row, ...inner]));
}

/** In a document's message (MDM, HL7 v2 §9.6) OBX holds the document's content and no finding: its rows are those of DocumentReference. */
function isOfMessage({ table, source }: Row, leaf: SourceNode): boolean {
  return !source.startsWith('OBX-') || leaf.root.named('TXA').length === 0 || table === 'OBX[DocumentReference]';
}

const MAX_TYPE_DEPTH = 4;

/** The rows of a row's data type that lead on, one list a way; one empty list where no data type says more, none where it has no place for the component. */
function waysBelow({ type }: Row, components: readonly number[], depth = 0): (readonly Row[])[] {
  const inner = rowsOfType(type);
  if (inner.length === 0 || depth === MAX_TYPE_DEPTH) return [[]];
  return inner
    .filter(({ source }) => numberOf(source) === (components[0] ?? 1))
    .flatMap((one) => waysBelow(one, components.slice(1), depth + 1).map((below) => [one, ...below]));
}

const numberOf = (source: string): number => Number(/\d+$/.exec(source)?.[0] ?? 0);

/** Whether each row of a way takes the value, and the last one all of it: a row without a data type takes a field's first component. */
function leads(way: readonly Row[], leaf: SourceNode): boolean {
  const below = placeOf(leaf).components[way.length - 1] ?? 1;
  return below === 1 && way.every((row) => takes(row, leaf));
}

/** Whether a row writes this very value somewhere. */
function takes(row: Row, leaf: SourceNode): boolean {
  if (exceptionOf(row) !== undefined || row.literal !== undefined || leadsElsewhere(row)) return false;
  return holds(row.condition, isField(row.condition) ? nearby(leaf) : () => undefined) !== false;
}

/** A row that refers to a resource and names no data type: what it makes is a reference, in which the value itself does not stand. */
const leadsElsewhere = ({ hops, type }: Row): boolean => hops.length > 1 && hops.at(-1)?.path === '' && type === '';

/** Fields by their names, and components of the value's own field by their data type's (`XTN.3`). */
function nearby(leaf: SourceNode): Lookup {
  const fields = fieldsNear(leaf);
  const { components } = placeOf(leaf);
  const own = leaf.ancestry()[components.length];
  return (name) => {
    const component = /^[A-Z]{2,3}\.(\d+)$/.exec(name)?.[1];
    if (component === undefined || own === undefined) return fields(name);
    if (own.value !== undefined) return component === '1' ? [own] : [];
    return own.named(component);
  };
}

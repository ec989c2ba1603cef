import type { SourceNode } from '../engine/index.js';
import { Cell } from './cell.js';
import { firstWithValue, type CompiledBackElement, type CompiledBackMap, type CompiledBackRule } from './compile.js';
import type { BackContext } from './conversions.js';
import type { WrittenSegment } from './er7.js';
import type { FhirTree } from './fhir-tree.js';
import type { Names } from './names.js';

/** Most segments of one message; the way in reads no more either. */
export const MAX_SEGMENTS = 20_000;

/** What a map writes of a bundle. */
export interface WrittenMessage {
  readonly segments: readonly WrittenSegment[];
  /** Leaves of the bundle that stand in the message: by which rule, and in which field. */
  readonly used: ReadonlyMap<SourceNode, { readonly rule: string; readonly to: string }>;
  /** The rule that demands a segment for which there is nothing. */
  readonly lacking: string | undefined;
}

/** What each message of a bundle is written with; `sent` as it stands in MSH-7. */
export interface WriteContext {
  readonly tree: FhirTree;
  readonly names: Names;
  readonly sent: string;
}

interface Job extends WriteContext {
  readonly types: CompiledBackMap['types'];
  readonly segments: WrittenSegment[];
  readonly used: Map<SourceNode, { rule: string; to: string }>;
  lacking: string | undefined;
}

/** Runs a map over a bundle, or over the part of it that hangs on a node. */
export function writeSegments(map: CompiledBackMap, from: SourceNode, { tree, names, sent }: WriteContext): WrittenMessage {
  const job: Job = { tree, types: map.types, names, sent, segments: [], used: new Map(), lacking: undefined };
  for (const rule of map.segments) writeRule(rule, from, 1, job);
  const { segments, used, lacking } = job;
  return { segments, used, lacking };
}

/** Writes the segments of a rule. `count` is the number of the node among those of the enclosing rule. */
function writeRule(rule: CompiledBackRule, from: SourceNode, count: number, job: Job): void {
  const chosen = chosenNodes(rule, from, job);
  if (chosen.length === 0 && rule.required) job.lacking ??= rule.id;
  for (const [i, node] of chosen.entries()) {
    if (job.segments.length >= MAX_SEGMENTS) return;
    const number = rule.each === undefined ? count : i + 1;
    if (rule.segment !== undefined) writeSegment(rule.segment, rule.elements, node, number, job);
    for (const inner of rule.within) writeRule(inner, node, number, job);
  }
}

function chosenNodes({ each, except, when, first }: CompiledBackRule, from: SourceNode, { tree }: Job): SourceNode[] {
  const nodes = each === undefined ? [from] : [...new Set(each.flatMap((path) => path(from, tree)))];
  const out = new Set(except.flatMap((path) => path(from, tree)));
  return nodes.filter((node) => !out.has(node) && when?.(node) !== false).slice(0, first ? 1 : undefined);
}

function writeSegment(name: string, elements: readonly CompiledBackElement[], node: SourceNode, count: number, job: Job): void {
  const fields = new Map<number, Cell[]>();
  for (const element of elements) {
    const [field, ...below] = element.to;
    if (field === undefined) continue;
    const cells = cellsOf(element, node, count, job).filter((cell) => !cell.empty);
    const placed = below.length === 0 ? inField(fields, field, cells) : inComponent(fields, field, below, cells);
    for (const leaf of placed.flatMap(({ used }) => used)) job.used.set(leaf, { rule: element.id, to: `${name}-${field}` });
  }
  if (fields.size > 0) job.segments.push({ name, fields });
}

/** The first rule that has something for a field fills it, each value a repetition. */
function inField(fields: Map<number, Cell[]>, field: number, cells: readonly Cell[]): readonly Cell[] {
  if (fields.has(field) || cells.length === 0) return [];
  fields.set(field, [...cells]);
  return cells;
}

function inComponent(fields: Map<number, Cell[]>, field: number, below: readonly number[], [cell]: readonly Cell[]): readonly Cell[] {
  const whole = fields.get(field)?.[0] ?? new Cell();
  if (cell === undefined || !whole.put(below, cell)) return [];
  if (!fields.has(field)) fields.set(field, [whole]);
  return [cell];
}

function cellsOf(element: CompiledBackElement, node: SourceNode, count: number, job: Job): Cell[] {
  if (element.when?.(node) === false) return [];
  if (element.constant !== undefined) return [Cell.of(element.constant, [])];
  const nodes = element.from.length === 0 ? [node] : firstWithValue(element.from, node, job.tree);
  if (element.type !== undefined) {
    const rules = job.types.get(element.type) ?? [];
    return nodes.map((one) => compound(rules, one, count, job));
  }
  const context: BackContext = { names: job.names, map: element.map, codes: element.codes, count, sent: job.sent };
  return element.convert(nodes, context);
}

function compound(rules: readonly CompiledBackElement[], node: SourceNode, count: number, job: Job): Cell {
  const cell = new Cell();
  for (const rule of rules) {
    const [first] = cellsOf(rule, node, count, job);
    if (first !== undefined) cell.put(rule.to, first);
  }
  return cell;
}

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
  /** Whether the message goes again to who sent it, so that it may speak of a visit there. */
  readonly ownVisit: boolean;
}

interface Job extends WriteContext {
  readonly types: CompiledBackMap['types'];
  readonly segments: WrittenSegment[];
  /** Of each name, the segments in the group. */
  readonly numbers: Map<string, number>;
  readonly used: Map<SourceNode, { rule: string; to: string }>;
  lacking: string | undefined;
}

/** Runs a map over a bundle, or over the part of it that hangs on a node. */
export function writeSegments(map: CompiledBackMap, from: SourceNode, context: WriteContext): WrittenMessage {
  const job: Job = { ...context, types: map.types, segments: [], numbers: new Map(), used: new Map(), lacking: undefined };
  for (const rule of map.segments) writeRule(rule, from, [], job);
  const { segments, used, lacking } = job;
  return { segments, used, lacking };
}

/** Writes the segments of a rule. `counts` are the numbers of the node, and of those that it stands in, among those of their rules. */
function writeRule(rule: CompiledBackRule, from: SourceNode, counts: readonly number[], job: Job): void {
  const chosen = chosenNodes(rule, from, job);
  if (chosen.length === 0 && rule.required) job.lacking ??= rule.id;
  for (const [i, node] of chosen.entries()) {
    if (job.segments.length >= MAX_SEGMENTS) return;
    const numbers = rule.each === undefined ? counts : [...counts, i + 1];
    if (rule.segment !== undefined) writeSegment(rule.segment, rule.elements, node, numbers, job);
    for (const inner of rule.within) writeRule(inner, node, numbers, job);
  }
}

function chosenNodes(rule: CompiledBackRule, from: SourceNode, { tree, ownVisit }: Job): SourceNode[] {
  const { each, except, when, first } = rule;
  if (rule.ownVisit && !ownVisit) return [];
  const nodes = each === undefined ? [from] : [...new Set(each.flatMap((path) => path(from, tree)))];
  const out = new Set(except.flatMap((path) => path(from, tree)));
  return nodes.filter((node) => !out.has(node) && when?.(node) !== false).slice(0, first ? 1 : undefined);
}

function writeSegment(name: string, elements: readonly CompiledBackElement[], node: SourceNode, counts: readonly number[], job: Job): void {
  const fields = new Map<number, Cell[]>();
  const at = { counts, number: (job.numbers.get(name) ?? 0) + 1 };
  for (const element of elements) {
    const [field, ...below] = element.to;
    if (field === undefined) continue;
    const cells = cellsOf(element, node, at, job).filter((cell) => !cell.empty);
    const placed = below.length === 0 ? inField(fields, field, cells) : inComponent(fields, field, below, cells);
    for (const leaf of placed.flatMap(({ used }) => used)) job.used.set(leaf, { rule: element.id, to: `${name}-${field}` });
  }
  if (fields.size > 0) push({ name, fields }, job);
}

/** With these the numbers of what follows begin anew (HL7 v2.5.1: the groups of its structures). */
const opening = new Set(['PID', 'OBR', 'RXA']);

function push(segment: WrittenSegment, { segments, numbers }: Job): void {
  const { name } = segment;
  if (opening.has(name)) numbers.clear();
  numbers.set(name, (numbers.get(name) ?? 0) + 1);
  segments.push(segment);
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

function cellsOf(element: CompiledBackElement, node: SourceNode, at: Pick<BackContext, 'counts' | 'number'>, job: Job): Cell[] {
  if (element.when?.(node) === false) return [];
  if (element.constant !== undefined) return [Cell.of(element.constant, [])];
  const nodes = element.from.length === 0 ? [node] : firstWithValue(element.from, node, job.tree);
  if (element.type !== undefined) {
    const rules = job.types.get(element.type) ?? [];
    return nodes.map((one) => compound(rules, one, at, job));
  }
  const context: BackContext = { names: job.names, map: element.map, codes: element.codes, sent: job.sent, ...at };
  return element.convert(nodes, context);
}

function compound(rules: readonly CompiledBackElement[], node: SourceNode, at: Pick<BackContext, 'counts' | 'number'>, job: Job): Cell {
  const cell = new Cell();
  for (const rule of rules) {
    const [first] = cellsOf(rule, node, at, job);
    if (first !== undefined) cell.put(rule.to, first);
  }
  return cell;
}

import { SourceNode } from '../engine/index.js';

/**
 * A message structure in HL7's abstract syntax: a segment `PID`, optional `PD1?`, repeating `NTE*`; a group with what it
 * holds. Order matters, as in the standard.
 */
export type StructureItem = string | { readonly group: string; readonly repeats?: boolean; readonly of: readonly StructureItem[] };

type Plan = SegmentPlan | GroupPlan;
interface SegmentPlan {
  readonly kind: 'segment';
  readonly name: string;
  readonly repeats: boolean;
  readonly optional: boolean;
}
interface GroupPlan {
  readonly kind: 'group';
  readonly name: string;
  readonly repeats: boolean;
  readonly items: readonly Plan[];
  /** Segments with which the group may begin. */
  readonly first: ReadonlySet<string>;
}

/** Compiles a structure given as data. */
export function compileStructure(name: string, items: readonly StructureItem[]): GroupPlan {
  return groupPlan(name, false, items);
}

export type Structure = GroupPlan;

function groupPlan(name: string, repeats: boolean, items: readonly StructureItem[]): GroupPlan {
  const plans = items.map((item) => (typeof item === 'string' ? segmentPlan(item) : groupPlan(item.group, item.repeats === true, item.of)));
  return { kind: 'group', name, repeats, items: plans, first: firstOf(plans) };
}

function segmentPlan(text: string): SegmentPlan {
  return { kind: 'segment', name: text.slice(0, 3), repeats: text.endsWith('*'), optional: /[?*]$/.test(text) };
}

function firstOf(plans: readonly Plan[]): Set<string> {
  const first = new Set<string>();
  for (const plan of plans) {
    if (plan.kind === 'segment') first.add(plan.name);
    else for (const name of plan.first) first.add(name);
    if (plan.kind === 'segment' && !plan.optional) break;
  }
  return first;
}

/**
 * Puts segments into the groups of `structure`. Each segment goes to the first place from where the last one stood, as the
 * standard reads a message; so a child belongs to the sibling before it and to no other. A segment that has no place stands
 * in the group that was open, under its own name.
 */
export function groupSegments(structure: Structure, segments: readonly SourceNode[]): SourceNode {
  const cursor = { at: 0, segments };
  const children = readGroup(structure, cursor, new Set());
  while (cursor.at < segments.length) children.push(...next(cursor));
  return SourceNode.branch(structure.name, structure.name, children);
}

interface Cursor {
  at: number;
  readonly segments: readonly SourceNode[];
}

function next(cursor: Cursor): SourceNode[] {
  const segment = cursor.segments[cursor.at];
  cursor.at += 1;
  return segment === undefined ? [] : [segment];
}

/** Reads one instance of `group`; `outside` are the segments with which something further out can go on. */
function readGroup(group: GroupPlan, cursor: Cursor, outside: ReadonlySet<string>): SourceNode[] {
  const children: SourceNode[] = [];
  for (const [i, item] of group.items.entries()) {
    const after = union(outside, ...group.items.slice(i + 1).map(beginnings));
    readItem(item, cursor, item.repeats ? union(after, beginnings(item)) : after, children);
  }
  return children;
}

/** Reads all of one item. Between two of a repeating item, and after it, a segment without a place is let in as it is. */
function readItem(item: Plan, cursor: Cursor, expected: ReadonlySet<string>, children: SourceNode[]): void {
  for (let read = 0; startsWith(item, cursor) && (read === 0 || item.repeats); read += 1) {
    if (item.kind === 'group') children.push(readOne(item, cursor, expected, read + 1));
    else children.push(...next(cursor));
    skipStrays(cursor, expected, children);
  }
  skipStrays(cursor, expected, children);
}

function readOne(group: GroupPlan, cursor: Cursor, expected: ReadonlySet<string>, number: number): SourceNode {
  return SourceNode.branch(group.name, `${group.name}[${number}]`, readGroup(group, cursor, expected));
}

function startsWith(item: Plan, cursor: Cursor): boolean {
  const name = cursor.segments[cursor.at]?.name;
  if (name === undefined) return false;
  return item.kind === 'segment' ? item.name === name : item.first.has(name);
}

/** Takes segments that no place from here on can hold. */
function skipStrays(cursor: Cursor, expected: ReadonlySet<string>, children: SourceNode[]): void {
  for (;;) {
    const name = cursor.segments[cursor.at]?.name;
    if (name === undefined || expected.has(name)) return;
    children.push(...next(cursor));
  }
}

function beginnings(plan: Plan): ReadonlySet<string> {
  return plan.kind === 'segment' ? new Set([plan.name]) : plan.first;
}

function union(...sets: readonly ReadonlySet<string>[]): Set<string> {
  const all = new Set<string>();
  for (const set of sets) for (const name of set) all.add(name);
  return all;
}

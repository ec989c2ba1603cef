import { SourceNode } from '../engine/index.js';
import { withParts } from './parts.js';

/*
 * A message structure is written as text, near HL7's abstract syntax: `PID` a segment, `PD1?` optional, `NTE*` repeating, `OBR|RXO` a
 * choice, `ORDER*(ORC OBR?)` a group with what it holds, `~DETAIL(OBR NTE*)` one whose segments stand in the group around it, so that one
 * rule serves the structures that nest it and those that do not. Order matters, as in the standard.
 */
type Plan = SegmentPlan | GroupPlan;
interface SegmentPlan {
  readonly kind: 'segment';
  readonly names: ReadonlySet<string>;
  readonly repeats: boolean;
  readonly optional: boolean;
}
interface GroupPlan {
  readonly kind: 'group';
  readonly name: string;
  readonly repeats: boolean;
  /** Read as a group, and no node of its own. */
  readonly through: boolean;
  readonly items: readonly Plan[];
  /** Of each item: the segments with which what comes after it in the group may begin. */
  readonly after: readonly ReadonlySet<string>[];
  /** Segments with which the group may begin. */
  readonly first: ReadonlySet<string>;
}

/** Compiles a structure from its text; throws a plain Error where the text is no structure. */
export function compileStructure(name: string, text: string): GroupPlan {
  const tokens = text.match(/[()]|~?[A-Z][A-Z0-9_|]*[?*]?|\S/g) ?? [];
  const items = readItems(tokens, name);
  if (tokens.length > 0) throw new Error(`structure ${name}: ${tokens[0] ?? ''} closes nothing`);
  return groupPlan(name, false, items);
}

export type Structure = GroupPlan;

/** Takes what a group holds off `tokens`, up to the bracket that closes it. */
function readItems(tokens: string[], structure: string): Plan[] {
  const items: Plan[] = [];
  for (let token = tokens[0]; token !== undefined && token !== ')'; token = tokens[0]) {
    tokens.shift();
    if (tokens[0] !== '(') items.push(segmentPlan(token, structure));
    else {
      tokens.shift();
      const group = groupPlan(token.replace(/[?*]$/, ''), token.endsWith('*'), readItems(tokens, structure));
      if (tokens.shift() !== ')') throw new Error(`structure ${structure}: ${group.name} is open`);
      items.push(group);
    }
  }
  return items;
}

function groupPlan(name: string, repeats: boolean, items: readonly Plan[]): GroupPlan {
  return {
    kind: 'group',
    name: name.replace('~', ''),
    repeats,
    through: name.startsWith('~'),
    items,
    after: afterEach(items),
    first: firstOf(items),
  };
}

const afterEach = (items: readonly Plan[]): Set<string>[] =>
  items.map((_, i) => new Set(items.slice(i + 1).flatMap((one) => [...beginnings(one)])));

function segmentPlan(text: string, structure: string): SegmentPlan {
  const names = text.replace(/[?*]$/, '').split('|');
  if (!names.every((name) => /^[A-Z][A-Z0-9]{2}$/.test(name))) throw new Error(`structure ${structure}: ${text} is no segment`);
  return { kind: 'segment', names: new Set(names), repeats: text.endsWith('*'), optional: /[?*]$/.test(text) };
}

function firstOf(plans: readonly Plan[]): Set<string> {
  const first = new Set<string>();
  for (const plan of plans) {
    for (const name of beginnings(plan)) first.add(name);
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
  const children = readGroup(structure, cursor, undefined);
  while (cursor.at < segments.length) children.push(...next(cursor));
  return SourceNode.branch(structure.name, structure.name, withParts(children));
}

interface Cursor {
  at: number;
  readonly segments: readonly SourceNode[];
}

/** The segments with which the message can go on: here, and further out. */
interface Expected {
  readonly here: ReadonlySet<string>;
  /** The item itself, where it repeats. */
  readonly again: ReadonlySet<string> | undefined;
  readonly outside: Expected | undefined;
}

function isExpected(name: string, expected: Expected): boolean {
  for (let at: Expected | undefined = expected; at !== undefined; at = at.outside) {
    if (at.here.has(name) || at.again?.has(name) === true) return true;
  }
  return false;
}

function next(cursor: Cursor): SourceNode[] {
  const segment = cursor.segments[cursor.at];
  cursor.at += 1;
  return segment === undefined ? [] : [segment];
}

const nothing: ReadonlySet<string> = new Set();

/** Reads one instance of `group`; `outside` are the segments with which something further out can go on. */
function readGroup(group: GroupPlan, cursor: Cursor, outside: Expected | undefined): SourceNode[] {
  const children: SourceNode[] = [];
  for (const [i, item] of group.items.entries()) {
    const expected = { here: group.after[i] ?? nothing, again: item.repeats ? beginnings(item) : undefined, outside };
    readItem(item, cursor, expected, children);
  }
  return children;
}

/** Reads all of one item. Between two of a repeating item, and after it, a segment without a place is let in as it is. */
function readItem(item: Plan, cursor: Cursor, expected: Expected, children: SourceNode[]): void {
  for (let read = 0; startsWith(item, cursor) && (read === 0 || item.repeats); read += 1) {
    if (item.kind === 'group') children.push(...readOne(item, cursor, expected, read + 1));
    else children.push(...next(cursor));
    skipStrays(cursor, expected, children);
  }
  skipStrays(cursor, expected, children);
}

function readOne(group: GroupPlan, cursor: Cursor, expected: Expected, number: number): SourceNode[] {
  const children = readGroup(group, cursor, expected);
  return group.through ? children : [SourceNode.branch(group.name, `${group.name}[${number}]`, withParts(children))];
}

function startsWith(item: Plan, cursor: Cursor): boolean {
  const name = cursor.segments[cursor.at]?.name;
  if (name === undefined) return false;
  return beginnings(item).has(name);
}

/** Takes segments that no place from here on can hold. */
function skipStrays(cursor: Cursor, expected: Expected, children: SourceNode[]): void {
  for (;;) {
    const name = cursor.segments[cursor.at]?.name;
    if (name === undefined || isExpected(name, expected)) return;
    children.push(...next(cursor));
  }
}

function beginnings(plan: Plan): ReadonlySet<string> {
  return plan.kind === 'segment' ? plan.names : plan.first;
}

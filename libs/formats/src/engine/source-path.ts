import { nameBit, textLeaf, type SourceNode } from './source-node.js';

type Test =
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'where'; readonly path: SourcePathPlan; readonly equals?: string; readonly not?: true };

type Step =
  | { readonly kind: 'self' | 'parent' | 'root' }
  | { readonly kind: 'below'; readonly name: string; readonly tests: readonly Test[] }
  | { readonly kind: 'child'; readonly name: string; readonly orSelf: boolean; readonly tests: readonly Test[] };

/** A source path, parsed once when its map is loaded. */
export interface SourcePathPlan {
  readonly text: string;
  readonly find: (from: SourceNode) => readonly SourceNode[];
  readonly gate: Gate;
  readonly stages: readonly PathStage[];
}

/** One step of a path, what tells the path up to it from all others, and what its tests demand of a node that passes. */
export interface PathStage {
  readonly find: (node: SourceNode) => readonly SourceNode[];
  readonly upTo: string;
  readonly demands: readonly Demand[];
}

/** That some value at `path` be this one. */
interface Demand {
  readonly path: SourcePathPlan;
  readonly equals: string;
}

const fieldNotation = /^([A-Z][A-Z0-9]{2})-(\d+(?:\.\d+)*)$/;
const componentNotation = /^\d+(?:\.\d+)+$/;

/**
 * Parses a path such as `OBX-5.1`, `../2`, `/MSH-10`, `section[code/@code='48765-2']/entry[1]` or `PID-3[5='NI']/1`.
 * `AIP[2!='D']` is any AIP of which field 2 does not say D, or says nothing.
 * `PID-5.1` means the child PID (or the node itself, where it is the PID), its child 5, its child 1. `*` is any child.
 * `//OBX-16` finds OBX wherever it stands in the document, so that one rule serves the groups of every structure.
 * Throws a plain Error that says what is wrong; the map's loader names file and rule.
 */
export function parseSourcePath(text: string): SourcePathPlan {
  if (text.startsWith('//')) return planOf(text, anywhere(text, splitSteps(text.slice(2))));
  const steps: Step[] = text.startsWith('/') ? [{ kind: 'root' }] : [];
  for (const part of splitSteps(text.startsWith('/') ? text.slice(1) : text)) steps.push(...parseStep(part));
  return planOf(text, steps);
}

function anywhere(text: string, parts: readonly string[]): Step[] {
  const [first, ...rest] = parts.flatMap(parseStep);
  if (first?.kind !== 'child' || /^[\d*]/.test(first.name)) throw new Error(`path ${text} names nothing to look for`);
  return [{ kind: 'root' }, { kind: 'below', name: first.name, tests: first.tests }, ...rest];
}

/** Splits at `/` outside brackets and quotes. */
function splitSteps(text: string): string[] {
  if (text === '') return [];
  const parts = text.match(/(?:'[^']*'|\[(?:'[^']*'|[^\]'])*\]|[^/'[\]])+|\//g) ?? [];
  if (parts.join('') !== text) throw new Error(`path ${text} has an open bracket or quote`);
  const steps = parts.filter((part) => part !== '/');
  if (parts.length !== 2 * steps.length - 1) throw new Error(`path ${text} has an empty step`);
  return steps;
}

function parseStep(part: string): Step[] {
  if (part === '.') return [{ kind: 'self' }];
  if (part === '..') return [{ kind: 'parent' }];
  const bracket = part.indexOf('[');
  const name = bracket < 0 ? part : part.slice(0, bracket);
  const tests = bracket < 0 ? [] : parseTests(part.slice(bracket));
  const names = nameChain(name);
  return names.map((one, i) => ({
    kind: 'child',
    name: one,
    orSelf: i === 0 && fieldNotation.test(name),
    tests: i === names.length - 1 ? tests : [],
  }));
}

function nameChain(name: string): string[] {
  const field = fieldNotation.exec(name);
  if (field !== null) return [field[1] ?? '', ...(field[2] ?? '').split('.')];
  if (componentNotation.test(name)) return name.split('.');
  // No name of XML, LDT or a CSV column looks like this: a slip of the pen that would find nothing.
  if (/^[A-Z][A-Z0-9]{2}-|[-.]$/.test(name)) throw new Error(`step ${name} is no field: write SEG-1 or SEG-1.2`);
  if (!/^(\*|[@#]?[\w:.-]+)$/.test(name)) throw new Error(`step ${name} is no name`);
  return [name];
}

function parseTests(text: string): Test[] {
  const tests: Test[] = [];
  let rest = text;
  while (rest !== '') {
    const inner = innerOf(rest);
    tests.push(parseTest(inner));
    rest = rest.slice(inner.length + 2);
  }
  return tests;
}

function innerOf(text: string): string {
  if (!text.startsWith('[')) throw new Error(`${text} should start with a bracket`);
  let quoted = false;
  for (let i = 1; i < text.length; i += 1) {
    if (text[i] === "'") quoted = !quoted;
    else if (text[i] === '[' && !quoted) throw new Error('a bracket stands inside a bracket');
    else if (text[i] === ']' && !quoted) return text.slice(1, i);
  }
  throw new Error(`${text} has an open bracket`);
}

function parseTest(inner: string): Test {
  if (/^[1-9]\d{0,4}$/.test(inner)) return { kind: 'index', index: Number(inner) };
  const [, path, not, equals] = /^([^=!']+)(!?)='([^']*)'$/.exec(inner) ?? [];
  if (path !== undefined) return { kind: 'where', path: parseSourcePath(path), equals: equals ?? '', ...(not === '!' && { not: true }) };
  if (inner === '' || /[=!'[\]]|^\d+$/.test(inner)) throw new Error(`[${inner}] is neither a number, a path, path='text' nor path!='text'`);
  return { kind: 'where', path: parseSourcePath(inner) };
}

/** The nodes at `path` from `from`, in document order. Explicit nulls are no values and are left out. */
export function select(from: SourceNode, path: SourcePathPlan): readonly SourceNode[] {
  return path.find(from);
}

type Find = (node: SourceNode) => readonly SourceNode[];

const NONE: readonly SourceNode[] = [];

/** A plan of steps that are already parsed. */
export function planOf(text: string, steps: readonly Step[]): SourcePathPlan {
  let upTo = '';
  const stages = steps.map((step) => ({ find: findOf(step), upTo: (upTo += `/${stepText(step)}`), demands: demandsOf(step) }));
  return { text, gate: gateOf(steps), stages, find: finderOf(stages) };
}

function demandsOf(step: Step): Demand[] {
  if (step.kind !== 'child' && step.kind !== 'below') return [];
  return step.tests.flatMap((test) =>
    test.kind === 'where' && test.equals !== undefined && test.not !== true ? [{ path: test.path, equals: test.equals }] : [],
  );
}

/** Most paths have one step or two. */
function finderOf(stages: readonly PathStage[]): Find {
  const [first, second, third] = stages.map(({ find }) => find);
  if (first === undefined || third !== undefined) return (from) => withoutNulls(follow(stages, 0, from));
  if (second === undefined) return (from) => withoutNulls(first(from));
  return (from) => {
    const found = first(from);
    const [only] = found;
    if (only === undefined) return NONE;
    return withoutNulls(found.length === 1 ? second(only) : found.flatMap(second));
  };
}

/** Says one step apart from every other. */
function stepText(step: Step): string {
  if (step.kind !== 'child' && step.kind !== 'below') return `(${step.kind})`;
  const tests = step.tests.map((test) =>
    test.kind === 'index' ? `[${test.index}]` : `[${test.path.text}${test.not === true ? '!' : ''}='${test.equals ?? "'"}']`,
  );
  return `${step.kind === 'below' ? '/' : ''}${step.name}${step.kind === 'child' && step.orSelf ? '-' : ''}${tests.join('')}`;
}

/** Most paths lead from one node to one node: a list is joined only where they part. */
function follow(stages: readonly PathStage[], start: number, from: SourceNode): readonly SourceNode[] {
  let found: readonly SourceNode[] | undefined;
  let node = from;
  for (let i = start; i < stages.length; i += 1) {
    found = stages[i]?.find(node) ?? NONE;
    const only = found[0];
    if (only === undefined) return NONE;
    if (found.length > 1) return i === stages.length - 1 ? found : found.flatMap((one) => follow(stages, i + 1, one));
    node = only;
  }
  return found ?? from.alone;
}

/** Finds what many paths lead to from one node. Of paths that begin alike the beginning is followed once. */
export class PathFinder {
  private readonly found = new Map<string, readonly SourceNode[]>();

  constructor(private readonly from: SourceNode) {}

  find({ stages }: SourcePathPlan): readonly SourceNode[] {
    return withoutNulls(this.upTo(stages, stages.length));
  }

  private upTo(stages: readonly PathStage[], count: number): readonly SourceNode[] {
    const stage = stages[count - 1];
    if (stage === undefined) return this.from.alone;
    let found = this.found.get(stage.upTo);
    if (found === undefined) {
      const before = this.upTo(stages, count - 1);
      found = before.length === 0 ? NONE : before.length > 1 ? before.flatMap(stage.find) : stage.find(before[0] ?? this.from);
      this.found.set(stage.upTo, found);
    }
    return found;
  }
}

function withoutNulls(nodes: readonly SourceNode[]): readonly SourceNode[] {
  for (const node of nodes) if (node.explicitNull) return nodes.filter((one) => !one.explicitNull);
  return nodes;
}

function findOf(step: Step): Find {
  switch (step.kind) {
    case 'self':
      return (node) => node.alone;
    case 'root':
      return (node) => node.root.alone;
    case 'parent':
      return ({ parent }) => parent?.alone ?? NONE;
    case 'below':
      return tested((node) => node.everywhere(step.name), step.tests);
    case 'child':
      return tested(childrenOf(step), step.tests);
  }
}

function childrenOf({ name, orSelf }: Extract<Step, { kind: 'child' }>): Find {
  const bit = nameBit(name);
  if (orSelf) return (node) => (node.name === name ? node.alone : (node.childBits & bit) === 0 ? NONE : node.named(name));
  if (name === '*') return (node) => node.children.filter((child) => !child.name.startsWith('@') && !child.name.startsWith('#'));
  // The first component of a primitive is the primitive itself.
  if (name === '1') return (node) => (node.value !== undefined ? node.alone : node.named(name));
  return (node) => ((node.childBits & bit) === 0 ? NONE : node.named(name));
}

function tested(find: Find, tests: readonly Test[]): Find {
  if (tests.length === 0) return find;
  const filters = tests.map(filterOf);
  return (node) => {
    let left = find(node);
    for (const filter of filters) if (left.length > 0) left = filter(left);
    return left;
  };
}

function filterOf(test: Test): (nodes: readonly SourceNode[]) => readonly SourceNode[] {
  if (test.kind === 'index') return (nodes) => nodes[test.index - 1]?.alone ?? NONE;
  const { path, equals, not = false } = test;
  const passes = (node: SourceNode): boolean => {
    const hits = path.find(node);
    return equals === undefined ? hits.length > 0 : hits.some((hit) => textLeaf(hit)?.value === equals) !== not;
  };
  return (nodes) => {
    const only = nodes[0];
    if (only === undefined || nodes.length > 1) return nodes.filter(passes);
    return passes(only) ? nodes : NONE;
  };
}

/**
 * What a node must have for a path to lead anywhere, as bits of its children's names. A path in HL7 notation asks more of a node that is itself
 * the segment (`self`).
 */
export interface Gate {
  readonly bits: number;
  readonly self: string | undefined;
  readonly selfBits: number;
}

/** All bits: a path that may lead somewhere whatever the node has. */
const ANY = -1;
export const openGate: Gate = { bits: ANY, self: undefined, selfBits: ANY };

function gateOf([first, second]: readonly Step[]): Gate {
  const bits = bitsOf(first);
  if (first?.kind !== 'child' || !first.orSelf) return { bits, self: undefined, selfBits: bits };
  return { bits, self: first.name, selfBits: bitsOf(second) };
}

const bitsOf = (step: Step | undefined): number => (step?.kind === 'child' && step.name !== '*' ? nameBit(step.name) : ANY);

/** What opens for a node that opens one of them. */
export function anyGate(gates: readonly Gate[]): Gate {
  const selves = new Set(gates.flatMap(({ self }) => self ?? []));
  if (selves.size > 1) return openGate;
  const [self] = selves;
  const bits = gates.reduce((all, gate) => all | gate.bits, 0);
  return { bits, self, selfBits: gates.reduce((all, gate) => all | (gate.self === undefined ? gate.bits : gate.selfBits), 0) };
}

/** False where no path behind the gate can find anything at the node. */
export function opens({ bits, self, selfBits }: Gate, node: SourceNode): boolean {
  const asked = self === node.name ? selfBits : bits;
  return asked === ANY || (node.childBits & asked) !== 0;
}

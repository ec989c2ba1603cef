import { textLeaf, type SourceNode } from './source-node.js';

type Test =
  { readonly kind: 'index'; readonly index: number } | { readonly kind: 'where'; readonly path: SourcePathPlan; readonly equals?: string };

type Step =
  | { readonly kind: 'self' | 'parent' | 'root' }
  | { readonly kind: 'below'; readonly name: string; readonly tests: readonly Test[] }
  | { readonly kind: 'child'; readonly name: string; readonly orSelf: boolean; readonly tests: readonly Test[] };

/** A source path, parsed once when its map is loaded. */
export interface SourcePathPlan {
  readonly text: string;
  readonly steps: readonly Step[];
}

const fieldNotation = /^([A-Z][A-Z0-9]{2})-(\d+(?:\.\d+)*)$/;
const componentNotation = /^\d+(?:\.\d+)+$/;

/**
 * Parses a path such as `OBX-5.1`, `../2`, `/MSH-10`, `section[code/@code='48765-2']/entry[1]` or `PID-3[5='NI']/1`.
 * `PID-5.1` means the child PID (or the node itself, where it is the PID), its child 5, its child 1. `*` is any child.
 * `//OBX-16` finds OBX wherever it stands in the document, so that one rule serves the groups of every structure.
 * Throws a plain Error that says what is wrong; the map's loader names file and rule.
 */
export function parseSourcePath(text: string): SourcePathPlan {
  if (text.startsWith('//')) return { text, steps: anywhere(text, splitSteps(text.slice(2))) };
  const steps: Step[] = text.startsWith('/') ? [{ kind: 'root' }] : [];
  for (const part of splitSteps(text.startsWith('/') ? text.slice(1) : text)) steps.push(...parseStep(part));
  return { text, steps };
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
  const equal = /^([^=']+)='([^']*)'$/.exec(inner);
  if (equal !== null) return { kind: 'where', path: parseSourcePath(equal[1] ?? ''), equals: equal[2] ?? '' };
  if (inner === '' || /[='[\]]|^\d+$/.test(inner)) throw new Error(`[${inner}] is neither a number, a path nor path='text'`);
  return { kind: 'where', path: parseSourcePath(inner) };
}

/** The nodes at `path` from `from`, in document order. Explicit nulls are no values and are left out. */
export function select(from: SourceNode, path: SourcePathPlan): readonly SourceNode[] {
  let nodes: readonly SourceNode[] = [from];
  for (const step of path.steps) {
    nodes = nodes.length === 1 && nodes[0] !== undefined ? take(nodes[0], step) : nodes.flatMap((node) => take(node, step));
    if (nodes.length === 0) return nodes;
  }
  return nodes.some(isNull) ? nodes.filter((node) => !node.explicitNull) : nodes;
}

const isNull = (node: SourceNode): boolean => node.explicitNull;

function take(node: SourceNode, step: Step): readonly SourceNode[] {
  switch (step.kind) {
    case 'self':
      return [node];
    case 'root':
      return [node.root];
    case 'parent':
      return node.parent === undefined ? [] : [node.parent];
    case 'below':
      return test(node.everywhere(step.name), step.tests);
    case 'child':
      return test(childrenNamed(node, step), step.tests);
  }
}

function childrenNamed(node: SourceNode, step: Extract<Step, { kind: 'child' }>): readonly SourceNode[] {
  if (step.orSelf && node.name === step.name) return [node];
  if (step.name === '*') return node.children.filter((child) => !child.name.startsWith('@') && !child.name.startsWith('#'));
  // The first component of a primitive is the primitive itself.
  if (step.name === '1' && node.value !== undefined) return [node];
  return node.named(step.name);
}

function test(nodes: readonly SourceNode[], tests: readonly Test[]): readonly SourceNode[] {
  if (tests.length === 0 || nodes.length === 0) return nodes;
  return tests.reduce((left, one) => {
    if (one.kind === 'index') return left.slice(one.index - 1, one.index);
    return left.filter((node) => {
      const found = select(node, one.path);
      return one.equals === undefined ? found.length > 0 : found.some((hit) => textLeaf(hit)?.value === one.equals);
    });
  }, nodes);
}

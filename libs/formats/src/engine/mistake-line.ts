import jsonc, { type JSONPath, type Node, type ParseError } from 'jsonc-parser';

/** What a mistake says of itself: the rule, and a text that begins with the place where it is about one (`compose.include[0].system`, `/resources/1`). */
export interface Placed {
  readonly rule: string;
  readonly what: string;
}

/**
 * The line (from 1) on which the element stands that a mistake in a JSON file is about; of one that is missing, that of what it is missing from.
 * Undefined where the file has no such rule, as when an earlier map has it.
 */
export function mistakeLine(text: string, { rule, what }: Placed): number | undefined {
  const root = jsonc.parseTree(text);
  if (root === undefined) return undefined;
  const isOfFile = rule.startsWith('(');
  const path = pointerIn(what) ?? (isOfFile ? placeIn(what) : undefined);
  const node = path === undefined ? nodeOfRule(root, rule, what) : deepest(root, path);
  return node === undefined ? (isOfFile ? lineAt(text, root.offset) : undefined) : lineAt(text, node.offset);
}

/** The line (from 1) on which a text stops to be JSON; undefined where it is JSON. */
export function brokenLine(text: string): number | undefined {
  const errors: ParseError[] = [];
  jsonc.parseTree(text, errors, { disallowComments: true });
  const [first] = errors;
  return first === undefined ? undefined : lineAt(text, Math.min(first.offset, text.trimEnd().length));
}

const lineAt = (text: string, offset: number): number => text.slice(0, offset).split('\n').length;

/** A JSON pointer, as the schemas' validator writes it. */
function pointerIn(what: string): JSONPath | undefined {
  const pointer = /^\/\S*/.exec(what)?.[0];
  return pointer
    ?.split('/')
    .slice(1)
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step.replaceAll('~1', '/').replaceAll('~0', '~')));
}

/** A place as the readers of terminology resources name it. */
function placeIn(what: string): JSONPath | undefined {
  const place = /^[A-Za-z]+(\[\d+\])*(\.[A-Za-z]+(\[\d+\])*)*/.exec(what)?.[0];
  return place?.match(/[A-Za-z]+|\d+/g)?.map((step) => (/^\d+$/.test(step) ? Number(step) : step));
}

/** The node at the path, else the last one on the way to it; undefined where not even its first step is there. */
function deepest(root: Node, path: JSONPath): Node | undefined {
  for (let steps = path.length; steps > 0; steps -= 1) {
    const node = jsonc.findNodeAtLocation(root, path.slice(0, steps));
    // Of a property: where it begins, and not its value, which may stand lines below.
    if (node !== undefined) return node.parent?.type === 'property' ? node.parent : node;
  }
  return undefined;
}

/** The rule of that id among the resources, their elements, the types and the values left out; else the entry of a table that the text names. */
function nodeOfRule(root: Node, rule: string, what: string): Node | undefined {
  const lists = ['resources', 'ignore'].flatMap((name) => itemsAt(root, name));
  const types = propertiesAt(root, 'types').map(([name, node]) => ({ name, node }));
  for (const node of lists) {
    const found = withId(node, textAt(node, 'id') ?? '', rule);
    if (found !== undefined) return found;
  }
  for (const { name, node } of types) {
    if (name === rule) return node;
    const found = among(node.children ?? [], name, rule);
    if (found !== undefined) return found;
  }
  const entry = propertiesAt(root, rule).find(([name]) => what.includes(name));
  return entry?.[1] ?? jsonc.findNodeAtLocation(root, [rule]);
}

function withId(node: Node, id: string, rule: string): Node | undefined {
  return id === rule ? node : among(itemsAt(node, 'elements'), id, rule);
}

/** An element rule's id is its own, or its owner's with its target. */
function among(elements: readonly Node[], owner: string, rule: string): Node | undefined {
  for (const element of elements) {
    const found = withId(element, textAt(element, 'id') ?? `${owner}.${textAt(element, 'to') ?? ''}`, rule);
    if (found !== undefined) return found;
  }
  return undefined;
}

const itemsAt = (node: Node, name: string): readonly Node[] => jsonc.findNodeAtLocation(node, [name])?.children ?? [];

function propertiesAt(node: Node, name: string): [string, Node][] {
  return itemsAt(node, name).flatMap(({ children }): [string, Node][] =>
    children?.[1] === undefined ? [] : [[String(children[0]?.value), children[1]]],
  );
}

function textAt(node: Node, name: string): string | undefined {
  const value: unknown = jsonc.findNodeAtLocation(node, [name])?.value;
  return typeof value === 'string' ? value : undefined;
}

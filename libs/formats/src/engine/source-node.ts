/**
 * One of 32 bits for a name. Two names may share one: a bit that is set says "perhaps", one that is not set "surely not". The numbers of fields
 * and components up to 32 have each their own.
 */
export function nameBit(name: string): number {
  const { length } = name;
  return 1 << (name.charCodeAt(length - 1) + (length > 1 ? 10 * name.charCodeAt(length - 2) : 0));
}

/** What a leaf may be asked for: its first component is the leaf itself. */
const OF_LEAF = nameBit('1');

/** So many children are looked through; more are found by an index. */
const FEW = 12;
const NONE: readonly SourceNode[] = [];

function among(children: readonly SourceNode[], name: string): readonly SourceNode[] {
  let first: SourceNode | undefined;
  let found: SourceNode[] | undefined;
  for (const child of children) {
    if (child.name !== name) continue;
    if (first === undefined) first = child;
    else if (found === undefined) found = [first, child];
    else found.push(child);
  }
  return found ?? first?.alone ?? NONE;
}

/**
 * One node of a source document, whatever its format: a branch holds children, a leaf holds one value. Every leaf has a
 * path that is unique in its document; the account names each leaf by it.
 */
export class SourceNode {
  /** The bits of all children's names: what is not among them need not be looked for. */
  readonly childBits: number;
  private container: SourceNode | undefined;
  private list: readonly SourceNode[] | undefined;
  private byName: Map<string, SourceNode[]> | undefined;
  private byNameBelow: Map<string, SourceNode[]> | undefined;

  private constructor(
    /** Name among its siblings: a segment, a field's or component's number, an element, `@attribute`, `#text`, a field code. */
    readonly name: string,
    readonly path: string,
    /** The value of a leaf, decoded; undefined for a branch. */
    readonly value: string | undefined,
    readonly children: readonly SourceNode[],
    /** Whether the source says in so many words that there is no value (HL7 v2 `""`, CDA nullFlavor is data and not this). */
    readonly explicitNull: boolean,
    /** What the source wrote, where the value does not say all of it (HL7 v2: layout of formatted text): it is carried besides. */
    readonly original: string | undefined,
  ) {
    let bits = value === undefined ? 0 : OF_LEAF;
    for (const child of children) {
      child.container = this;
      bits |= nameBit(child.name);
    }
    this.childBits = bits;
  }

  static leaf(name: string, path: string, value: string, explicitNull = false, original?: string): SourceNode {
    return new SourceNode(name, path, value, NONE, explicitNull, original);
  }

  static branch(name: string, path: string, children: readonly SourceNode[]): SourceNode {
    return new SourceNode(name, path, undefined, children, false, undefined);
  }

  get parent(): SourceNode | undefined {
    return this.container;
  }

  /** The node as a list of one: what most paths find, made once and not at every look. */
  get alone(): readonly SourceNode[] {
    return (this.list ??= [this]);
  }

  get root(): SourceNode {
    let at = this as SourceNode;
    while (at.container !== undefined) at = at.container;
    return at;
  }

  /** The children of one name, in document order; found by an index, so that long documents stay quick. */
  named(name: string): readonly SourceNode[] {
    if (this.byName === undefined && this.children.length <= FEW) return among(this.children, name);
    this.byName ??= this.index();
    return this.byName.get(name) ?? NONE;
  }

  private index(): Map<string, SourceNode[]> {
    const byName = new Map<string, SourceNode[]>();
    for (const child of this.children) {
      const list = byName.get(child.name);
      if (list === undefined) byName.set(child.name, [child]);
      else list.push(child);
    }
    return byName;
  }

  /** Nodes of one name at any depth below this one, in document order; names that are numbers are not looked for. */
  everywhere(name: string): readonly SourceNode[] {
    this.byNameBelow ??= indexBelow(this);
    return this.byNameBelow.get(name) ?? NONE;
  }

  /** All leaves at and below this node, in document order. */
  leaves(): SourceNode[] {
    const found: SourceNode[] = [];
    const open: SourceNode[] = [this];
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (node.value !== undefined) found.push(node);
      for (let i = node.children.length - 1; i >= 0; i -= 1) {
        const child = node.children[i];
        if (child !== undefined) open.push(child);
      }
    }
    return found;
  }

  /** This node, its parent and so on up to the root. */
  ancestry(): SourceNode[] {
    const line: SourceNode[] = [];
    for (let at = this as SourceNode | undefined; at !== undefined; at = at.container) line.push(at);
    return line;
  }
}

function indexBelow(top: SourceNode): Map<string, SourceNode[]> {
  const found = new Map<string, SourceNode[]>();
  const open = [...top.children].reverse();
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (!/^\d/.test(node.name)) {
      const list = found.get(node.name);
      if (list === undefined) found.set(node.name, [node]);
      else list.push(node);
    }
    for (let i = node.children.length - 1; i >= 0; i -= 1) {
      const child = node.children[i];
      // Fields and components have numbers for names: nothing below them is looked for.
      if (child !== undefined && !/^\d/.test(child.name)) open.push(child);
    }
  }
  return found;
}

/**
 * The leaf that holds a node's own text: itself, an element's `#text`, or the first component of a compound (HL7 v2 §2.5.3: a
 * receiver reads a compound where it expects a primitive by its first component). Undefined where there is none.
 */
export function textLeaf(node: SourceNode): SourceNode | undefined {
  let at: SourceNode | undefined = node;
  while (at !== undefined && at.value === undefined) {
    at = firstText(at.children);
  }
  return at === undefined || at.explicitNull ? undefined : at;
}

function firstText(children: readonly SourceNode[]): SourceNode | undefined {
  for (const child of children) if (child.name === '1' || child.name === '#text') return child;
  return undefined;
}

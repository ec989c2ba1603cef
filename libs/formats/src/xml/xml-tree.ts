import { PortolanError } from '@portolan/contracts';
import { SaxesParser, type SaxesTagPlain } from 'saxes';
import { SourceNode } from '../engine/index.js';
import { xmlText } from './xml-text.js';

/** Deepest nesting of elements that is read. */
const MAX_DEPTH = 64;

/** How a format names the namespaces it knows: URI → prefix of the node names, '' for its own. */
export type Namespaces = Readonly<Record<string, string>>;

const XSI = 'http://www.w3.org/2001/XMLSchema-instance';
const XML = 'http://www.w3.org/XML/1998/namespace';

/**
 * Reads an XML document into nodes: an element is a branch, named by its local name (after the prefix that `namespaces` gives),
 * its attributes are leaves `@name`, its text leaves `#text` with white space kept. Comments, instructions, namespace
 * declarations and white space between elements are no data. Throws `ingest.*`.
 */
export function readXml(bytes: Uint8Array, maxBytes: number, namespaces: Namespaces): SourceNode {
  const text = xmlText(bytes, maxBytes);
  const tree = new TreeBuilder(new Map(Object.entries({ [XSI]: 'xsi', [XML]: 'xml', ...namespaces })));
  const parser = new SaxesParser({ xmlns: false, position: false });
  parser.on('error', () => {
    throw malformed(`not well-formed in line ${parser.line}`);
  });
  parser.on('doctype', () => {
    throw malformed('a document type declaration');
  });
  parser.on('opentag', (tag) => tree.open(tag));
  parser.on('text', (part) => tree.text(part));
  parser.on('cdata', (part) => tree.text(part));
  parser.on('closetag', () => tree.close());
  parser.write(text).close();
  if (tree.root === undefined) throw malformed('no element');
  return tree.root;
}

const malformed = (detail: string): PortolanError => new PortolanError('ingest.malformed', 'XML', detail);

/** Prefix → URI, as declared here and above. */
type Bindings = ReadonlyMap<string, string>;

/** An element whose end is not read yet. */
interface Open {
  readonly name: string;
  readonly path: string;
  readonly bindings: Bindings;
  readonly nodes: SourceNode[];
  /** How many children of a name there are so far. */
  readonly counts: Map<string, number>;
  text: string;
}

/** Names over which programs have stumbled: they are none of any format. */
const refusedNames: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

class TreeBuilder {
  root: SourceNode | undefined;
  private readonly above: Open[] = [];
  private at: Open | undefined;

  constructor(private readonly prefixes: ReadonlyMap<string, string>) {}

  open({ name: tag, attributes }: SaxesTagPlain): void {
    if (this.above.length >= MAX_DEPTH) throw malformed(`nested deeper than ${MAX_DEPTH}`);
    const bindings = declared(attributes, this.at?.bindings ?? outermost);
    const name = this.named(tag, bindings, true);
    let path = name;
    if (this.at !== undefined) {
      flush(this.at);
      path = `${this.at.path}/${numbered(this.at, name)}`;
      this.above.push(this.at);
    }
    this.at = { name, path, bindings, nodes: this.attributes(attributes, path, bindings), counts: new Map(), text: '' };
  }

  text(part: string): void {
    if (this.at !== undefined) this.at.text += part;
  }

  close(): void {
    const { at } = this;
    if (at === undefined) return;
    flush(at);
    const node = SourceNode.branch(at.name, at.path, at.nodes);
    this.at = this.above.pop();
    if (this.at === undefined) this.root = node;
    else this.at.nodes.push(node);
  }

  private attributes(attributes: Readonly<Record<string, string>>, path: string, bindings: Bindings): SourceNode[] {
    const nodes: SourceNode[] = [];
    for (const key in attributes) {
      if (isDeclaration(key)) continue;
      const local = `@${this.named(key, bindings, false)}`;
      nodes.push(SourceNode.leaf(local, `${path}/${local}`, attributes[key] ?? ''));
    }
    return nodes;
  }

  private named(qualified: string, bindings: Bindings, isElement: boolean): string {
    if (refusedNames.has(qualified)) throw malformed('a reserved name');
    const colon = qualified.indexOf(':');
    // An attribute without a prefix is in no namespace.
    if (!isElement && colon < 0) return qualified;
    const prefix = colon < 0 ? '' : qualified.slice(0, colon);
    const local = qualified.slice(colon + 1);
    const uri = bindings.get(prefix);
    if (uri === undefined) throw malformed('a namespace prefix that is not declared');
    const known = this.prefixes.get(uri) ?? prefix;
    return known === '' ? local : `${known}:${local}`;
  }
}

const outermost: Bindings = new Map([
  ['', ''],
  ['xml', XML],
]);

const isDeclaration = (key: string): boolean => key.startsWith('xmlns') && (key.length === 5 || key[5] === ':');

function declared(attributes: Readonly<Record<string, string>>, above: Bindings): Bindings {
  let bindings: Map<string, string> | undefined;
  for (const key in attributes) {
    if (!isDeclaration(key)) continue;
    bindings ??= new Map(above);
    bindings.set(key.slice('xmlns:'.length), attributes[key] ?? '');
  }
  return bindings ?? above;
}

/** Makes a leaf of the text that has come since the last element, unless it is white space. */
function flush(open: Open): void {
  if (open.text === '') return;
  if (open.text.trim() !== '') open.nodes.push(SourceNode.leaf('#text', `${open.path}/${numbered(open, '#text')}`, open.text));
  open.text = '';
}

/** The name among those of its siblings: the second and later have a number. */
function numbered({ counts }: Open, name: string): string {
  const count = (counts.get(name) ?? 0) + 1;
  counts.set(name, count);
  return count === 1 ? name : `${name}[${count}]`;
}

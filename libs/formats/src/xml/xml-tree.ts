import { PortolanError } from '@portolan/contracts';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
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
  const [root, ...more] = parsed(text).filter((node) => !isBlank(node));
  if (root === undefined || more.length > 0) throw malformed('not one root element');
  return elementNode(root, '', { '': '', xml: XML }, { [XSI]: 'xsi', [XML]: 'xml', ...namespaces }, () => 1);
}

const malformed = (detail: string): PortolanError => new PortolanError('ingest.malformed', 'XML', detail);

type Parsed = Readonly<Record<string, unknown>>;

const isBlank = (node: Parsed): boolean => typeof node['#text'] === 'string' && node['#text'].trim() === '';

function parsed(text: string): readonly Parsed[] {
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- the parser alone accepts mismatched tags; its successor is the same check in another package
  const valid = XMLValidator.validate(text);
  if (valid !== true) throw malformed(`${valid.err.code} in line ${valid.err.line}`);
  if (!endsWithElement(text)) throw malformed('text after the root element');
  const parser = new XMLParser({
    preserveOrder: true,
    ignoreAttributes: false,
    attributeNamePrefix: '',
    parseTagValue: false,
    parseAttributeValue: false,
    trimValues: false,
    processEntities: false,
    ignoreDeclaration: true,
    ignorePiTags: true,
    cdataPropName: '#cdata',
    maxNestedTags: MAX_DEPTH,
  });
  try {
    return parser.parse(text) as readonly Parsed[];
  } catch {
    throw malformed(`nested deeper than ${MAX_DEPTH}, or a reserved name`);
  }
}

/** Whether nothing but comments, instructions and white space follows the last element; the parser would drop it in silence. */
function endsWithElement(text: string): boolean {
  let rest = text.trimEnd();
  for (;;) {
    const start = rest.endsWith('-->') ? rest.lastIndexOf('<!--') : rest.endsWith('?>') ? rest.lastIndexOf('<?') : undefined;
    if (start === undefined) return rest.endsWith('>');
    if (start < 0) return false;
    rest = rest.slice(0, start).trimEnd();
  }
}

/** Prefix → URI, as declared here and above. */
type Bindings = Readonly<Record<string, string>>;

/** How many siblings of a name there are so far, this one included. */
type Counter = (name: string) => number;

const numbered = (name: string, count: number): string => (count === 1 ? name : `${name}[${count}]`);

function elementNode(element: Parsed, path: string, above: Bindings, namespaces: Namespaces, count: Counter): SourceNode {
  const tag = tagOf(element);
  const attributes = Object.entries((element[':@'] ?? {}) as Readonly<Record<string, string>>);
  const bindings = { ...above, ...declared(attributes) };
  const name = nodeName(tag, bindings, namespaces, true);
  const own = `${path}${numbered(name, count(name))}`;
  const attributeNodes = attributes
    .filter(([key]) => key !== 'xmlns' && !key.startsWith('xmlns:'))
    .map(([key, value]) => {
      const local = `@${nodeName(key, bindings, namespaces, false)}`;
      return SourceNode.leaf(local, `${own}/${local}`, decoded(value.replace(/[\t\n]/g, ' ')));
    });
  return SourceNode.branch(name, own, [...attributeNodes, ...contentNodes(element[tag], own, bindings, namespaces)]);
}

const tagOf = (element: Parsed): string => Object.keys(element).find((key) => key !== ':@') ?? '';

function declared(attributes: readonly (readonly [string, string])[]): Bindings {
  const found = attributes.filter(([key]) => key === 'xmlns' || key.startsWith('xmlns:'));
  return Object.fromEntries(found.map(([key, uri]) => [key.slice('xmlns:'.length), uri]));
}

function nodeName(qualified: string, bindings: Bindings, namespaces: Namespaces, isElement: boolean): string {
  const colon = qualified.indexOf(':');
  const prefix = colon < 0 ? '' : qualified.slice(0, colon);
  const local = qualified.slice(colon + 1);
  // An attribute without a prefix is in no namespace.
  if (!isElement && prefix === '') return local;
  const uri = bindings[prefix];
  if (uri === undefined) throw malformed('a namespace prefix that is not declared');
  const known = namespaces[uri] ?? prefix;
  return known === '' ? local : `${known}:${local}`;
}

function contentNodes(content: unknown, path: string, bindings: Bindings, namespaces: Namespaces): SourceNode[] {
  const nodes: SourceNode[] = [];
  const counts = new Map<string, number>();
  const next: Counter = (name) => {
    counts.set(name, (counts.get(name) ?? 0) + 1);
    return counts.get(name) ?? 1;
  };
  let text = '';
  const flush = (): void => {
    if (text.trim() !== '') nodes.push(SourceNode.leaf('#text', `${path}/${numbered('#text', next('#text'))}`, text));
    text = '';
  };
  for (const child of content as readonly Parsed[]) {
    if ('#text' in child) text += decoded(String(child['#text']));
    else if ('#cdata' in child) text += cdataText(child['#cdata']);
    else {
      flush();
      nodes.push(elementNode(child, `${path}/`, bindings, namespaces, next));
    }
  }
  flush();
  return nodes;
}

const cdataText = (content: unknown): string => (content as readonly { '#text'?: string }[]).map((part) => part['#text'] ?? '').join('');

const predefined: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** Replaces character references and the five predefined entities; any other entity is refused. */
function decoded(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(/&(?:([^;&\s]{1,32});)?/g, (_all, name: string | undefined) => {
    const sign = name === undefined ? undefined : Object.hasOwn(predefined, name) ? predefined[name] : character(name);
    if (sign === undefined) throw malformed('an entity that XML does not define');
    return sign;
  });
}

function character(name: string): string | undefined {
  const match = /^#(?:x([0-9a-fA-F]{1,6})|(\d{1,7}))$/.exec(name);
  if (match === null) return undefined;
  const code = match[1] === undefined ? Number(match[2]) : Number.parseInt(match[1], 16);
  const allowed = code === 9 || code === 10 || code === 13 || (code >= 0x20 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff));
  return allowed ? String.fromCodePoint(code) : undefined;
}

import type { SourceNode } from '../../engine/index.js';
import { orderOf } from './order.js';

/** A text of the document, and the leaves of the bundle that it says. `made`: the map's own word, which gives way to what the original said. */
export interface XmlText {
  readonly text: string;
  readonly used: readonly SourceNode[];
  readonly made: boolean;
}

/** An element to be written. Names are those of the way in: `pharm:code`, `@xsi:type`. */
export class XmlElement {
  readonly attributes = new Map<string, XmlText>();
  readonly children: XmlElement[] = [];
  text: XmlText | undefined;
  /** Stands even without a value, where the enclosing element stands. */
  kept = false;

  constructor(
    readonly name: string,
    readonly parent?: XmlElement,
  ) {}

  /** A new element at the end of this one. */
  add(name: string): XmlElement {
    const child = new XmlElement(name, this);
    this.children.push(child);
    return child;
  }

  /** The last element of that name, made where there is none. */
  lastOr(name: string): XmlElement {
    return this.children.findLast((child) => child.name === name) ?? this.add(name);
  }

  remove(child: XmlElement): void {
    const at = this.children.indexOf(child);
    if (at >= 0) this.children.splice(at, 1);
  }

  /** Puts a text at `@name` or `#text`; what stands there first stays. */
  put(place: string, text: XmlText): boolean {
    const there = place === '#text' ? this.text : this.attributes.get(place);
    if (there !== undefined || text.text === '') return false;
    this.set(place, text);
    return true;
  }

  set(place: string, text: XmlText): void {
    if (place === '#text') this.text = text;
    else this.attributes.set(place, text);
  }

  /** Every text at and below this element, with the element and the place where it stands. */
  *texts(): Generator<readonly [XmlElement, string, XmlText]> {
    for (const [place, text] of this.attributes) yield [this, place, text];
    if (this.text !== undefined) yield [this, '#text', this.text];
    for (const child of this.children) yield* child.texts();
  }

  /** Whether a value of the bundle stands at or below it. */
  get worthIt(): boolean {
    if (this.text?.used.length) return true;
    return [...this.attributes.values()].some(({ used }) => used.length > 0) || this.children.some((child) => child.worthIt);
  }
}

/** How the prefixes of the names are declared at the root. */
const namespaces: Readonly<Record<string, string>> = {
  '': 'urn:hl7-org:v3',
  pharm: 'urn:hl7-org:pharm',
  sdtc: 'urn:hl7-org:sdtc',
  xsi: 'http://www.w3.org/2001/XMLSchema-instance',
};

/**
 * The document in XML 1.0, UTF-8, children in the order of CDA's schema. Texts are escaped here alone, so that no text adds an element or an attribute;
 * a sign that XML 1.0 (§2.2) cannot hold is written as U+FFFD.
 */
export function xmlOf(root: XmlElement): string {
  const declared = Object.entries(namespaces).map(([prefix, uri]) => ` xmlns${prefix === '' ? '' : `:${prefix}`}="${uri}"`);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${elementText(root, '', declared.join(''))}`;
}

function elementText(element: XmlElement, indent: string, declared = ''): string {
  const { name, attributes, text, children } = element;
  const own = [...attributes].map(([place, one]) => ` ${place.slice(1)}="${escaped(one.text)}"`).join('');
  const start = `${indent}<${name}${declared}${own}`;
  if (text === undefined && children.length === 0) return `${start}/>\n`;
  if (text !== undefined) {
    const inner = ordered(element).map((child) => elementText(child, '').trimEnd());
    return `${start}>${escaped(text.text)}${inner.join('')}</${name}>\n`;
  }
  return `${start}>\n${ordered(element)
    .map((child) => elementText(child, `${indent}  `))
    .join('')}${indent}</${name}>\n`;
}

/** Children in the order of the schema, those of one name as they were made. */
function ordered({ name, children }: XmlElement): readonly XmlElement[] {
  const order = orderOf(name);
  if (order === undefined) return children;
  const rank = (child: XmlElement): number => order.get(child.name) ?? order.size;
  return children.toSorted((a, b) => rank(a) - rank(b));
}

const references: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

/** XML 1.0 §2.4, and §3.3.3 for the white space that an attribute would lose. */
export function escaped(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
    .replace(/[&<>"\t\n\r]/g, (sign) => references[sign] ?? sign);
}

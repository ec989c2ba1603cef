import { createRequire } from 'node:module';
import type { SAXOptions, SAXParser } from 'sax';

/** One element of an XML document; comments, the declaration and what they say are left out. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly (XmlElement | string)[];
}

export interface XmlLimits {
  readonly chars: number;
  readonly depth: number;
}

/** Why an XML text is refused; the message names no content. */
export class XmlRefused extends Error {}

interface OpenElement extends XmlElement {
  readonly children: (XmlElement | string)[];
}

/**
 * Reads XML 1.0 strictly (sax, npm): well-formed, one root, the five entities of XML and character references alone. A
 * document type is refused before anything is parsed, so no entity can be declared, fetched or expanded. Throws XmlRefused.
 */
export class XmlReader {
  private loaded: Sax | undefined;

  read(xml: string, limits: XmlLimits): XmlElement {
    if (xml.length > limits.chars) throw new XmlRefused(`longer than ${limits.chars} characters`);
    if (/<!(?:DOCTYPE|ENTITY)/i.test(xml)) throw new XmlRefused('a document type is not allowed');
    this.loaded ??= load();
    return new Building(this.loaded.parser(true, { strictEntities: true }), limits.depth).of(xml);
  }
}

interface Sax {
  MAX_BUFFER_LENGTH: number;
  parser(strict: true, options: SAXOptions & { strictEntities: true }): SAXParser;
}

function load(): Sax {
  const sax = createRequire(import.meta.url)('sax') as Sax;
  // sax would end at a value of 64 kB, which an attachment is; the reader's own limit on characters stands before.
  sax.MAX_BUFFER_LENGTH = Infinity;
  return sax;
}

class Building {
  private readonly open: OpenElement[] = [];
  private root: XmlElement | undefined;

  constructor(
    private readonly parser: SAXParser,
    private readonly maxDepth: number,
  ) {
    parser.onopentag = (tag) => this.start(tag.name, new Map(Object.entries(tag.attributes as Record<string, string>)));
    parser.onclosetag = () => this.open.pop();
    parser.ontext = (text) => this.text(text);
    parser.oncdata = (text) => this.text(text);
    parser.onprocessinginstruction = ({ name }) => this.instruction(name);
    parser.ondoctype = () => this.refuse('a document type is not allowed');
    parser.onerror = (error) => this.refuse(`not well-formed in line ${Number(/Line: (\d+)/.exec(error.message)?.[1] ?? 0) + 1}`);
  }

  of(xml: string): XmlElement {
    this.parser.write(xml.replace(/^\uFEFF/, '')).close();
    return this.root ?? this.refuse('no element');
  }

  private start(name: string, attributes: ReadonlyMap<string, string>): void {
    const element: OpenElement = { name, attributes, children: [] };
    const parent = this.open.at(-1);
    if (parent === undefined && this.root !== undefined) this.refuse('more than one root');
    if (this.open.length >= this.maxDepth) this.refuse(`nested deeper than ${this.maxDepth}`);
    this.root ??= element;
    parent?.children.push(element);
    this.open.push(element);
  }

  private text(text: string): void {
    const parent = this.open.at(-1);
    if (parent !== undefined) parent.children.push(text);
    else if (text.trim() !== '') this.refuse('text outside the root');
  }

  private instruction(name: string): void {
    if (name !== 'xml') this.refuse('a processing instruction is not allowed');
  }

  private refuse(reason: string): never {
    throw new XmlRefused(reason);
  }
}

import type { XmlElement } from './xml-reader.js';

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#x9;',
  '\n': '&#xA;',
  '\r': '&#xD;',
};

/** What XML 1.0 can carry in no form (§2.2). */
export const UNWRITABLE =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

const escaped = (text: string, what: RegExp): string => text.replace(what, (c) => ESCAPES[c] ?? c);

/** White space is written as references, so that a reader does not normalise it (XML 1.0 §3.3.3). */
export const attribute = (name: string, value: string): string => ` ${name}="${escaped(value, /[&<>"\t\n\r]/g)}"`;

/** XML text of an element as it was read: characters the same, references only where they must be. */
export function xmlText(element: XmlElement): string {
  const attributes = [...element.attributes].map(([name, value]) => attribute(name, value)).join('');
  const children = element.children.map((child) => (typeof child === 'string' ? escaped(child, /[&<>\r]/g) : xmlText(child))).join('');
  return children === '' ? `<${element.name}${attributes}/>` : `<${element.name}${attributes}>${children}</${element.name}>`;
}

import { XmlRefused, type XmlElement, type XmlReader } from './xml-reader.js';
import { xmlText } from './xml-writer.js';

export const XHTML = 'http://www.w3.org/1999/xhtml';
const LIMITS = { chars: 1_048_576, depth: 64 };

/** R4 §2.4.0: the formatting elements of XHTML (chapters 7–11 without section 4 of 9, and 15), links, images. */
const ELEMENTS: ReadonlySet<string> = new Set(
  `a abbr acronym address b big blockquote br caption cite code col colgroup dd del dfn div dl dt em h1 h2 h3 h4 h5 h6 hr i img ins kbd li
  ol p pre q samp small span strong sub sup table tbody td tfoot th thead tr tt ul var`.split(/\s+/),
);
const ATTRIBUTES: ReadonlySet<string> = new Set(
  `abbr accesskey align alt axis bgcolor border cellhalign cellpadding cellspacing cellvalign char charoff charset cite class colspan
  compact coords dir frame headers height href hreflang hspace id lang longdesc name nowrap rel rev rowspan rules scope shape span src
  start style summary tabindex title type valign value vspace width xml:lang xmlns`.split(/\s+/),
);
/** Links lead to addresses and places; images are inside the resource or the text itself, so that showing it calls nobody. */
const LINK = /^(?:https?:|mailto:|tel:|urn:|#|[^:]*$)/i;
const IMAGE = /^(?:#|data:image\/(?:png|jpeg|gif);base64,)/i;
const ACTIVE_STYLE = /url\s*\(|expression\s*\(|@import|javascript:|behavio(?:u)?r\s*:|\\/i;

export interface NarrativeMistake {
  readonly code: 'structure' | 'security';
  readonly rule: 'txt-1' | 'txt-2';
  readonly reason: string;
}

/** The first thing that `div` may not be (R4 §2.4.0, invariants txt-1 and txt-2): no script, form, frame, event, outside content. */
export function narrativeMistake(div: string, reader: XmlReader): NarrativeMistake | undefined {
  try {
    const root = reader.read(div, LIMITS);
    if (root.name !== 'div' || root.attributes.get('xmlns') !== XHTML) return structure('the root is not a div of XHTML');
    return elementMistake(root) ?? (hasContent(root) ? undefined : { code: 'structure', rule: 'txt-2', reason: 'the narrative is empty' });
  } catch (error) {
    if (error instanceof XmlRefused) return structure(error.message);
    throw error;
  }
}

const structure = (reason: string): NarrativeMistake => ({ code: 'structure', rule: 'txt-1', reason });
const security = (reason: string): NarrativeMistake => ({ code: 'security', rule: 'txt-1', reason });

function elementMistake(element: XmlElement): NarrativeMistake | undefined {
  if (!ELEMENTS.has(element.name)) return security('an element that a narrative may not have');
  for (const [name, value] of element.attributes) {
    const mistake = attributeMistake(element.name, name, value);
    if (mistake !== undefined) return mistake;
  }
  for (const child of element.children) {
    const mistake = typeof child === 'string' ? undefined : elementMistake(child);
    if (mistake !== undefined) return mistake;
  }
  return undefined;
}

function attributeMistake(element: string, name: string, value: string): NarrativeMistake | undefined {
  if (!ATTRIBUTES.has(name)) return security('an attribute that a narrative may not have');
  // Browsers drop white space and control characters inside a scheme: look at what they would see.
  const bare = value.replace(/[\u0000-\u0020]/g, '');
  const allowed = element === 'img' && name === 'src' ? IMAGE : LINK;
  if (['href', 'src', 'cite', 'longdesc'].includes(name) && !allowed.test(bare)) return security('a link or image that is not allowed');
  if (name === 'style' && ACTIVE_STYLE.test(value)) return security('a style that loads or runs');
  if (name === 'xmlns' && value !== XHTML) return security('another namespace than XHTML');
  return undefined;
}

const hasContent = (element: XmlElement): boolean =>
  element.name === 'img' || element.children.some((child) => (typeof child === 'string' ? child.trim() !== '' : hasContent(child)));

/** The div as XML text of its own, well-formed and in its namespace. Throws XmlRefused. */
export function narrativeText(div: string, reader: XmlReader): string {
  const root = reader.read(div, LIMITS);
  if (root.name !== 'div' || root.attributes.get('xmlns') !== XHTML) throw new XmlRefused('a narrative is not a div of XHTML');
  return xmlText(root);
}

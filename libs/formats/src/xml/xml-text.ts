import { PortolanError } from '@portolan/contracts';
import { decodeHead, decodeText, isReadCharset } from '../bytes/charset.js';

/** Longest prolog (declaration, comments, processing instructions) that is read before the root element. */
const MAX_PROLOG_CHARS = 65_536;
/** So much is looked at for the name of the root, each time the part before held none: most documents have it in the first. */
const PROLOG_PARTS = [1024, 4096, 16_384, MAX_PROLOG_CHARS];

/**
 * Bytes of an XML document as text, in the encoding that its declaration names (UTF-8, UTF-16, ISO 8859, Windows-125x and others). A document
 * type declaration is refused: no entity of ours is ever defined by a sender. Throws `ingest.too-large`,
 * `ingest.charset-unsupported`, `ingest.encoding-invalid`, `ingest.malformed`.
 */
export function xmlText(bytes: Uint8Array, maxBytes: number): string {
  if (bytes.length > maxBytes) throw new PortolanError('ingest.too-large', 'document', `more than ${maxBytes} bytes`);
  const encoding = declaredEncoding(bytes);
  const text = decodeText(bytes, encoding);
  if (text === undefined) {
    const code = isReadCharset(encoding) ? 'ingest.encoding-invalid' : 'ingest.charset-unsupported';
    throw new PortolanError(code, 'XML declaration', encoding);
  }
  if (forbidden.test(text)) throw new PortolanError('ingest.malformed', 'document', 'a character that XML cannot hold');
  if (rootOf(text) === undefined) throw new PortolanError('ingest.malformed', 'prolog', 'a document type declaration, or no element');
  return text.replace(/\r\n?/g, '\n');
}

/** XML 1.0 §2.2. */
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;

function declaredEncoding(bytes: Uint8Array): string {
  const start = decodeHead(bytes.subarray(0, 403));
  return /^<\?xml\s[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']/.exec(start)?.[1] ?? '';
}

/** Local name of the first element, or undefined where something else than comments and instructions stands before it. */
function rootOf(text: string): string | undefined {
  let at = 0;
  while (at < MAX_PROLOG_CHARS) {
    const rest = text.slice(at, at + 256);
    const blank = /^\s+/.exec(rest)?.[0].length ?? 0;
    const end = rest.startsWith('<!--') ? endOf(text, '-->', at) : rest.startsWith('<?') ? endOf(text, '?>', at) : undefined;
    if (blank > 0) at += blank;
    else if (end !== undefined) at = end;
    else return /^<(?:[\w.-]+:)?([A-Za-z_][\w.-]*)[\s/>]/.exec(rest)?.[1];
  }
  return undefined;
}

const endOf = (text: string, mark: string, from: number): number => {
  const found = text.indexOf(mark, from);
  return found < 0 ? Infinity : found + mark.length;
};

/** Local name of the root element of what looks like XML; looks at the beginning only, never throws. */
export function rootName(bytes: Uint8Array): string | undefined {
  for (const length of PROLOG_PARTS) {
    const found = rootWithin(bytes.subarray(0, length));
    if (found !== undefined || bytes.length <= length) return found;
  }
  return undefined;
}

function rootWithin(bytes: Uint8Array): string | undefined {
  const start = decodeHead(bytes);
  return start.trimStart().startsWith('<') ? rootOf(start) : undefined;
}

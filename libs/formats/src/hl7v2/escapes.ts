import type { Separators } from './separators.js';

/** Decodes the bytes of a `\X..\` escape in the message's character set, or undefined where they are no text in it. */
export type DecodeBytes = (bytes: Uint8Array) => string | undefined;

/** A text with its escape sequences resolved. */
export interface Unescaped {
  readonly text: string;
  /**
   * Where a sequence said more than a text can: the text with such sequences in it, in the recommended delimiters, every other backslash as
   * `\E\`. `escapeOriginal` writes it as it was.
   */
  readonly original?: string;
}

/** What a sequence becomes, and whether it said more than that. */
interface Meaning {
  readonly text: string;
  readonly more?: true;
}

const layout: Meaning = { text: '', more: true };
/** For what somebody else knows the meaning of: a reader sees that something is missing (U+FFFD, replacement character). */
const unreadable: Meaning = { text: '\ufffd', more: true };

/** Most lines and blanks that one command makes: no message is blown up by it. */
const MAX_LINES = 10;
const MAX_BLANKS = 40;

/**
 * Resolves the escape sequences of HL7 v2.8 §2.7. Delimiters and hexadecimal data become what they stand for, `\.br\ \.sp\ \.ce\` line ends,
 * `\.sk\` blanks. Highlighting and the rest of layout are left out. Local sequences (`\Z…\`), bytes that are no text of the character set or
 * control characters, and changes of the character set that were not announced (`\C…\ \M…\`) become U+FFFD. What is no sequence of the
 * standard stays as it is.
 */
export function unescaped(text: string, separators: Separators, decode: DecodeBytes): Unescaped {
  const sign = separators.escape;
  if (!text.includes(sign)) return { text };
  const said = new Said();
  let at = 0;
  while (at < text.length) {
    const open = text.indexOf(sign, at);
    const close = open < 0 ? -1 : text.indexOf(sign, open + 1);
    if (close < 0) break;
    said.plain(text.slice(at, open));
    const body = text.slice(open + 1, close);
    const meant = meaningOf(body, separators, decode);
    if (meant === undefined) said.plain(sign);
    else said.sequence(body, meant);
    at = meant === undefined ? open + 1 : close + 1;
  }
  said.plain(text.slice(at));
  return said.whole();
}

export const unescapeText = (text: string, separators: Separators, decode: DecodeBytes): string => unescaped(text, separators, decode).text;

class Said {
  private text = '';
  private original = '';
  private more = false;
  private inLine = false;

  plain(text: string): void {
    this.add(text);
    this.original += text.replaceAll('\\', '\\E\\');
  }

  sequence(body: string, { text, more }: Meaning): void {
    if (more !== true) {
      this.plain(text);
      return;
    }
    this.more = true;
    this.original += `\\${body}\\`;
    // A line that is empty as yet is not ended by what begins a centred one.
    if (body !== '.ce' || this.inLine) this.add(text);
  }

  private add(text: string): void {
    this.text += text;
    if (text !== '') this.inLine = !text.endsWith('\n');
  }

  whole(): Unescaped {
    return this.more ? { text: this.text, original: this.original } : { text: this.text };
  }
}

function meaningOf(body: string, separators: Separators, decode: DecodeBytes): Meaning | undefined {
  const delimiter = delimiterOf(body, separators);
  if (delimiter !== undefined) return { text: delimiter };
  if (body.startsWith('.')) return commandOf(body);
  if (/^X([0-9A-Fa-f]{2})+$/.test(body)) return decoded(decode(hexBytes(body.slice(1))));
  if (body === 'H' || body === 'N') return layout;
  return /^(?:C[0-9A-Fa-f]{4}|M[0-9A-Fa-f]{4}([0-9A-Fa-f]{2})?|Z[0-9A-Fa-f]*)$/.test(body) ? unreadable : undefined;
}

/** Control characters but tab and line ends are no part of a text in FHIR. */
function decoded(text: string | undefined): Meaning {
  if (text === undefined) return unreadable;
  const readable = text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, unreadable.text);
  return readable === text ? { text } : { text: readable, more: true };
}

function delimiterOf(body: string, separators: Separators): string | undefined {
  switch (body) {
    case 'F':
      return separators.field;
    case 'S':
      return separators.component;
    case 'T':
      return separators.subcomponent;
    case 'R':
      return separators.repetition;
    case 'E':
      return separators.escape;
    case 'P':
      return separators.truncation;
    default:
      return undefined;
  }
}

/** The commands of formatted text (§2.7.6). An indent belongs to a margin, which text has not. */
function commandOf(body: string): Meaning | undefined {
  if (body === '.br') return { text: '\n' };
  if (body === '.ce') return { text: '\n', more: true };
  if (/^\.(?:fi|nf|(?:in|ti) ?[+-]?\d{0,3})$/.test(body)) return layout;
  const [, name, number = ''] = /^\.(sp|sk) ?\+?(\d{0,3})$/.exec(body) ?? [];
  const count = number === '' ? 1 : Number(number);
  if (name === undefined) return undefined;
  return name === 'sp' ? repeated('\n', count, MAX_LINES) : repeated(' ', count, MAX_BLANKS);
}

/** What is cut short, or says something and becomes nothing, is kept beside. */
function repeated(sign: string, count: number, most: number): Meaning {
  const text = sign.repeat(Math.min(count, most));
  return count === text.length && count > 0 ? { text } : { text, more: true };
}

function hexBytes(hex: string): Uint8Array {
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16));
}

/** What a text may hold that `unescaped` kept: a sequence that says more than text can, or `\E\`. */
const kept = /\\(E|H|N|\.(?:ce|fi|nf|(?:in|ti|sp|sk) ?[+-]?\d{0,3})|[CMXZ][\dA-Fa-f]*)\\/;

/** Writes the `original` of an unescaped text as it was, in the recommended delimiters: its sequences, and by `plain` what stands between them. */
export function escapeOriginal(original: string, plain: (text: string) => string): string {
  return original
    .split(kept)
    .map((part, i) => (i % 2 === 0 ? plain(part) : `\\${part}\\`))
    .join('');
}

/** Writes `text` so that none of its signs acts as a delimiter or ends a segment. */
export function escapeText(text: string, separators: Separators): string {
  const { field, component, repetition, escape, subcomponent, truncation } = separators;
  const names = new Map([
    [field, 'F'],
    [component, 'S'],
    [subcomponent, 'T'],
    [repetition, 'R'],
    [escape, 'E'],
    ...(truncation === undefined ? [] : [[truncation, 'P'] as const]),
    ['\r', 'X0D'],
    ['\n', 'X0A'],
  ]);
  return Array.from(text, (sign) => (names.has(sign) ? `${escape}${names.get(sign) ?? ''}${escape}` : sign)).join('');
}

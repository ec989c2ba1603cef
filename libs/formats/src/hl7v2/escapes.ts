import type { Separators } from './separators.js';

/** Decodes the bytes of a `\X..\` escape in the message's character set, or undefined where they are no text in it. */
export type DecodeBytes = (bytes: Uint8Array) => string | undefined;

/**
 * Resolves the escape sequences of HL7 v2.8 §2.7: `\F\ \S\ \T\ \R\ \E\ \Xdd…\ \.br\ \.sp\`. What is no escape, or one that only
 * formats (`\H\`, `\.in+4\`), or a local one (`\Z…\`), stays as it is: nothing is lost.
 */
export function unescapeText(text: string, separators: Separators, decode: DecodeBytes): string {
  const sign = separators.escape;
  if (!text.includes(sign)) return text;
  let out = '';
  let at = 0;
  while (at < text.length) {
    const open = text.indexOf(sign, at);
    const close = open < 0 ? -1 : text.indexOf(sign, open + 1);
    if (close < 0) break;
    const meant = meaningOf(text.slice(open + 1, close), separators, decode);
    out += text.slice(at, open) + (meant ?? sign);
    at = meant === undefined ? open + 1 : close + 1;
  }
  return out + text.slice(at);
}

function meaningOf(body: string, separators: Separators, decode: DecodeBytes): string | undefined {
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
    case '.br':
    case '.sp':
      return '\n';
    default:
      return /^X([0-9A-Fa-f]{2})+$/.test(body) ? decode(hexBytes(body.slice(1))) : undefined;
  }
}

function hexBytes(hex: string): Uint8Array {
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16));
}

/** Writes `text` so that none of its signs acts as a delimiter or ends a segment. */
export function escapeText(text: string, separators: Separators): string {
  const { field, component, repetition, escape, subcomponent } = separators;
  const names = new Map([
    [field, 'F'],
    [component, 'S'],
    [subcomponent, 'T'],
    [repetition, 'R'],
    [escape, 'E'],
    ['\r', 'X0D'],
    ['\n', 'X0A'],
  ]);
  return Array.from(text, (sign) => (names.has(sign) ? `${escape}${names.get(sign) ?? ''}${escape}` : sign)).join('');
}

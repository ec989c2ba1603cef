/** The eight characters of ISO 8859-15 that ISO 8859-1 has not, and their bytes. */
const latin9: ReadonlyMap<string, number> = new Map([
  ['€', 0xa4],
  ['Š', 0xa6],
  ['š', 0xa8],
  ['Ž', 0xb4],
  ['ž', 0xb8],
  ['Œ', 0xbc],
  ['œ', 0xbd],
  ['Ÿ', 0xbe],
]);

const QUESTION_MARK = 0x3f;

/**
 * Writes a text in the character set that MSH-18 names (HL7 table 0211), so that an acknowledgement comes in the sender's own; UTF-8
 * without a name. What an ISO 8859 set has no byte for becomes `?`: of an acknowledgement only our own texts can be such.
 */
export function encodeHl7(text: string, charset: string): Uint8Array {
  switch (charset.trim().toUpperCase()) {
    case '8859/1':
    case 'ISO-8859-1':
      return bytewise(text, () => undefined, 0x100);
    case '8859/15':
    case 'ISO-8859-15':
      return bytewise(text, (sign) => latin9.get(sign), 0x100);
    case 'ASCII':
      return bytewise(text, () => undefined, 0x80);
    default:
      return new TextEncoder().encode(text);
  }
}

function bytewise(text: string, special: (sign: string) => number | undefined, below: number): Uint8Array {
  const bytes = Array.from(text, (sign) => {
    const code = sign.codePointAt(0) ?? QUESTION_MARK;
    return special(sign) ?? (code < below ? code : QUESTION_MARK);
  });
  return Uint8Array.from(bytes);
}

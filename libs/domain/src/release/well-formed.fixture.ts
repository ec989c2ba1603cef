const token = /<(\/?)([a-z]+)((?: [a-z:]+="[^"<>]*")*)>|&(?:amp|lt|gt|quot|#39);|[^<>&]/gu;

/** Whether a text is well-formed XML of the small kind that a narrative is: for tests, sharing nothing with what makes it. */
export function isWellFormed(xml: string): boolean {
  const open: string[] = [];
  let read = 0;
  for (const match of xml.matchAll(token)) {
    if (match.index !== read) return false;
    read += match[0].length;
    const [, slash, name] = match;
    if (name === undefined ? hasForbiddenCharacter(match[0]) : slash === '/' && open.pop() !== name) return false;
    if (name !== undefined && slash === '') open.push(name);
  }
  return read === xml.length && open.length === 0;
}

/** XML 1.0 §2.2 by code point. */
function hasForbiddenCharacter(text: string): boolean {
  const code = text.codePointAt(0) ?? 0;
  const blank = code === 0x9 || code === 0xa || code === 0xd;
  return !blank && (code < 0x20 || (code >= 0xd800 && code <= 0xdfff) || code === 0xfffe || code === 0xffff);
}

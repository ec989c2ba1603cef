/** Whether an object of `text`, which is JSON, has a member twice. `JSON.parse` would keep the last and say nothing. */
export function hasDuplicateMember(text: string): boolean {
  const open: (Set<string> | undefined)[] = [];
  for (let i = 0; i < text.length; i += 1) {
    const c = text[i];
    if (c === '{') open.push(new Set());
    else if (c === '[') open.push(undefined);
    else if (c === '}' || c === ']') open.pop();
    else if (c === '"') {
      const end = endOfString(text, i);
      if (repeats(open.at(-1), text, i, end)) return true;
      i = end;
    }
  }
  return false;
}

/** Index of the quote that closes the string opened at `start`. */
function endOfString(text: string, start: number): number {
  let i = start + 1;
  while (i < text.length && text[i] !== '"') i += text[i] === '\\' ? 2 : 1;
  return i;
}

/** Notes the string as a member's name, if it is one; true where the object had it before. */
function repeats(members: Set<string> | undefined, text: string, start: number, end: number): boolean {
  if (members === undefined) return false;
  let next = end + 1;
  while (text[next] === ' ' || text[next] === '\n' || text[next] === '\r' || text[next] === '\t') next += 1;
  if (text[next] !== ':') return false;
  const raw = text.slice(start, end + 1);
  const name = raw.includes('\\') ? (JSON.parse(raw) as string) : raw.slice(1, -1);
  if (members.has(name)) return true;
  members.add(name);
  return false;
}

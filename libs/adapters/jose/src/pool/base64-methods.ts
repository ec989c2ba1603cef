interface Options {
  readonly alphabet?: 'base64' | 'base64url';
  readonly omitPadding?: boolean;
}

/**
 * `Uint8Array.prototype.toBase64` and `Uint8Array.fromBase64` of ECMAScript 2026, which jose uses where the engine has them: Node 24 has not, and
 * jose then goes over each character, which takes most of the time of a large part. To be called in a thread of its own, whose globals nobody
 * shares; it does nothing where the engine has them.
 */
export function provideBase64(): void {
  if ('toBase64' in Uint8Array.prototype) return;
  Object.defineProperty(Uint8Array.prototype, 'toBase64', { value: toBase64, configurable: true, writable: true });
  Object.defineProperty(Uint8Array, 'fromBase64', { value: fromBase64, configurable: true, writable: true });
}

export function toBase64(this: Uint8Array, { alphabet = 'base64', omitPadding = false }: Options = {}): string {
  const text = Buffer.from(this.buffer, this.byteOffset, this.byteLength).toString(alphabet);
  if (alphabet === 'base64url') return omitPadding ? text : text.padEnd(Math.ceil(text.length / 4) * 4, '=');
  return omitPadding ? text.replace(/=+$/u, '') : text;
}

const foreign = { base64: ['-', '_'], base64url: ['+', '/'] } as const;

/**
 * SyntaxError for what is not of the alphabet. Buffer takes both alphabets and passes over everything else, but then gives fewer bytes than the
 * digits stand for. White space, which the standard allows, is refused, too.
 */
export function fromBase64(text: string, { alphabet = 'base64' }: Options = {}): Uint8Array {
  const digits = text.length - paddingOf(text);
  const bytes = Buffer.from(text, alphabet);
  const isWhole = digits % 4 !== 1 && bytes.length === Math.floor((digits * 3) / 4);
  const isPadded = digits !== text.length;
  if (!isWhole || (isPadded && text.length % 4 !== 0) || foreign[alphabet].some((one) => text.includes(one)))
    throw new SyntaxError('not base64');
  return new Uint8Array(bytes);
}

function paddingOf(text: string): number {
  if (text.endsWith('==')) return 2;
  return text.endsWith('=') ? 1 : 0;
}

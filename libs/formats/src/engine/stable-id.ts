/** SHA-256 of bytes as 64 lower-case hexadecimal digits, synchronous; injected because a pure library has no crypto. */
export type Sha256Hex = (bytes: Uint8Array) => string;

const utf8 = new TextEncoder();

/**
 * A UUID (RFC 9562 version 8) made of the SHA-256 of `parts`: the same parts give the same id, and no two lists of parts
 * run together (they are hashed as a JSON list).
 */
export function stableUuid(sha256: Sha256Hex, parts: readonly string[]): string {
  const hex = sha256(utf8.encode(JSON.stringify(parts)));
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 0x3) | 0x8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

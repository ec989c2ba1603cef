import type { JWSHeaderParameters } from 'jose';

/* Length of a compact JWS under ES256: header ‖ '.' ‖ content ‖ '.' ‖ signature (64 bytes), each part base64url without padding. */
const SIGNATURE_CHARS = 86;
const SEPARATORS = 2;

const utf8 = new TextEncoder();
const base64urlChars = (bytes: number): number => Math.ceil((bytes * 4) / 3);

/**
 * `header` with a member `pad`, so that the JWS over `contentBytes` bytes has the smallest possible length of the form
 * k × `padTo`, rounded up to leave 2 when divided by 4: one, two or three bytes of content end differently in base64url, and only
 * that remainder lets a header fill up every such length exactly.
 */
export function padded<H extends JWSHeaderParameters>(header: H, contentBytes: number, padTo: number): H & { pad: string } {
  const rest = base64urlChars(contentBytes) + SIGNATURE_CHARS + SEPARATORS;
  const bare = utf8.encode(JSON.stringify({ ...header, pad: '' })).length;
  const target = reachable(Math.ceil((base64urlChars(bare) + rest) / padTo) * padTo);
  const headerBytes = Math.floor(((target - rest) * 3) / 4);
  return { ...header, pad: '0'.repeat(headerBytes - bare) };
}

/** The next length that leaves 2 when divided by 4. */
const reachable = (length: number): number => length + ((6 - (length % 4)) % 4);

import { canonicalJson, type Kid, type PublicJwk } from '@portolan/contracts';
import type { Sha256 } from '../kernel/machine.port.js';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** RFC 7638 thumbprint with SHA-256, base64url without padding: the key id that every registry entry, header and file uses. */
export function jwkThumbprint(jwk: PublicJwk, sha256: Sha256): Kid {
  const { kty, crv, x, y } = jwk;
  return base64url(sha256(new TextEncoder().encode(canonicalJson({ crv, kty, x, y }))));
}

function base64url(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const [a = 0, b = 0, c = 0] = bytes.subarray(i, i + 3);
    const bits = (a << 16) | (b << 8) | c;
    for (const shift of [18, 12, 6, 0]) text += ALPHABET.charAt((bits >> shift) & 63);
  }
  return text.slice(0, Math.ceil((bytes.length * 4) / 3));
}

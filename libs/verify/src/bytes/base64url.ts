import { PortolanError } from '@portolan/contracts';

const chunk = 0x8000;

/** RFC 4648 section 5, without padding. */
export function base64url(bytes: Uint8Array): string {
  let binary = '';
  for (let at = 0; at < bytes.length; at += chunk) binary += String.fromCharCode(...bytes.subarray(at, at + chunk));
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/**
 * Bytes of strict base64url; `verify.encoding-malformed` for anything else. A last character with spare bits set is refused
 * too: otherwise two texts would carry the same signature, and a changed receipt could pass.
 */
export function bytesOfBase64url(text: string): Uint8Array<ArrayBuffer> {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) throw malformed();
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = binary.charCodeAt(i);
  if (base64url(bytes.subarray(bytes.length - (bytes.length % 3))) !== text.slice(text.length - (text.length % 4))) throw malformed();
  return bytes;
}

const malformed = (): PortolanError => new PortolanError('verify.encoding-malformed', 'base64url');

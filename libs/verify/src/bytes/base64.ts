import { PortolanError } from '@portolan/contracts';
import { base64url, bytesOfBase64url } from './base64url.js';

/** RFC 4648 section 4, with padding. */
export function base64(bytes: Uint8Array): string {
  const text = base64url(bytes).replaceAll('-', '+').replaceAll('_', '/');
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=');
}

/** Bytes of strict base64, so that bytes have one text alone; `verify.encoding-malformed` for anything else. */
export function bytesOfBase64(text: string): Uint8Array<ArrayBuffer> {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw new PortolanError('verify.encoding-malformed', 'base64');
  return bytesOfBase64url(text.replace(/=+$/, '').replaceAll('+', '-').replaceAll('/', '_'));
}

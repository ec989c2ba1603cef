import { parseBounded, type ErrorCode, type Kid } from '@portolan/contracts';
import { bytesOfBase64url, textOf } from '@portolan/verify';

/** Key id of a compact JWS's protected header (RFC 7515, section 4.1.4); empty where it names none. Throws `code` for what is no header. */
export function kidOf(jws: string, code: ErrorCode, where: string): Kid {
  const [header] = jws.split('.');
  const { kid } = (parseBounded(textOf(bytesOfBase64url(header ?? '')), 2000, code, where) ?? {}) as { kid?: unknown };
  return typeof kid === 'string' ? kid : '';
}

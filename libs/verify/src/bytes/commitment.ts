import { concat, hexOf, utf8, type Sha256 } from './bytes.js';

const domain = concat(utf8('portolan/commitment/v1'), new Uint8Array([0]));

/**
 * Salted commitment, 64 hexadecimal digits: SHA-256("portolan/commitment/v1" ‖ 0x00 ‖ salt ‖ bytes).
 * The salt is 32 random bytes, so that nothing can be guessed from it; RangeError for another length, since then
 * where the salt ends and the bytes begin would be open.
 */
export function commit(salt: Uint8Array, bytes: Uint8Array, sha256: Sha256): string {
  if (salt.length !== 32) throw new RangeError('a salt has 32 bytes');
  return hexOf(sha256(concat(domain, salt, bytes)));
}

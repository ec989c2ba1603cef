import { PortolanError } from '@portolan/contracts';
import { bytesOfHex, concat, hexOf, type Sha256 } from '../bytes/bytes.js';

/**
 * Merkle tree of RFC 9162, section 2.1 (the same as RFC 6962): a leaf is hashed behind 0x00, a node behind 0x01.
 * Hashes are 64 lower-case hexadecimal digits; sizes and indices are whole numbers below 2^53.
 */

const leafPrefix = new Uint8Array([0]);
const nodePrefix = new Uint8Array([1]);

/** Hash of a leaf's bytes. */
export function leafHash(bytes: Uint8Array, sha256: Sha256): string {
  return hexOf(sha256(concat(leafPrefix, bytes)));
}

/** Hash of a node over its two children. */
export function nodeHash(left: string, right: string, sha256: Sha256): string {
  return hexOf(sha256(concat(nodePrefix, bytesOfHex(left), bytesOfHex(right))));
}

/** Root over leaf hashes; of no leaf: SHA-256 of nothing. */
export function merkleRoot(leaves: readonly string[], sha256: Sha256): string {
  if (leaves.length === 0) return hexOf(sha256(new Uint8Array(0)));
  return fold(leaves, sha256);
}

/** RFC 6962 root over the leaf hashes of an envelope's sealed parts: the ciphertext hash that `released` names. */
export function sealedRoot(partHashes: readonly string[], sha256: Sha256): string {
  return merkleRoot(partHashes, sha256);
}

/** Inclusion path of leaf `index` (RFC 9162, section 2.1.3.1); `verify.tree-range` outside the tree. */
export function inclusionPath(index: number, leaves: readonly string[], sha256: Sha256): string[] {
  if (!Number.isSafeInteger(index) || index < 0 || index >= leaves.length) throw range('inclusion');
  if (leaves.length === 1) return [];
  const k = splitOf(leaves.length);
  const [left, right] = [leaves.slice(0, k), leaves.slice(k)];
  return index < k
    ? [...inclusionPath(index, left, sha256), fold(right, sha256)]
    : [...inclusionPath(index - k, right, sha256), fold(left, sha256)];
}

/** Consistency proof from the first `oldSize` leaves to all (RFC 9162, section 2.1.4.1); empty from 0 and from all. */
export function consistencyPath(oldSize: number, leaves: readonly string[], sha256: Sha256): string[] {
  if (!Number.isSafeInteger(oldSize) || oldSize < 0 || oldSize > leaves.length) throw range('consistency');
  return oldSize === 0 || oldSize === leaves.length ? [] : subproof(oldSize, leaves, true, sha256);
}

function subproof(m: number, leaves: readonly string[], whole: boolean, sha256: Sha256): string[] {
  if (m === leaves.length) return whole ? [] : [fold(leaves, sha256)];
  const k = splitOf(leaves.length);
  const [left, right] = [leaves.slice(0, k), leaves.slice(k)];
  return m <= k
    ? [...subproof(m, left, whole, sha256), fold(right, sha256)]
    : [...subproof(m - k, right, false, sha256), fold(left, sha256)];
}

function fold(leaves: readonly string[], sha256: Sha256): string {
  let row = leaves;
  while (row.length > 1) row = pairUp(row, sha256);
  return row[0] ?? '';
}

/** One level up; a last node without a sibling moves up unchanged, which gives RFC 9162's split at a power of two. */
function pairUp(row: readonly string[], sha256: Sha256): string[] {
  const up: string[] = [];
  for (let i = 0; i < row.length; i += 2) {
    const [left = '', right] = [row[i], row[i + 1]];
    up.push(right === undefined ? left : nodeHash(left, right, sha256));
  }
  return up;
}

/** Largest power of two below `size` (size > 1). */
export function splitOf(size: number): number {
  let k = 1;
  while (k * 2 < size) k *= 2;
  return k;
}

const range = (where: string): PortolanError => new PortolanError('verify.tree-range', where);

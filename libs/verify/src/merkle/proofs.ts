import { hexOf, type Sha256 } from '../bytes/bytes.js';
import { nodeHash } from './tree.js';

export interface InclusionClaim {
  readonly leafHash: string;
  readonly index: number;
  readonly size: number;
  readonly path: readonly string[];
  readonly root: string;
}

export interface ConsistencyClaim {
  readonly oldSize: number;
  readonly oldRoot: string;
  readonly newSize: number;
  readonly newRoot: string;
  readonly path: readonly string[];
}

/** RFC 9162, section 2.1.3.2: whether the path leads from the leaf to the root. Hashes are 64 hexadecimal digits. */
export function verifyInclusion(claim: InclusionClaim, sha256: Sha256): boolean {
  const { index, size, path } = claim;
  if (!isCount(index) || !isCount(size) || index >= size || ![claim.leafHash, ...path].every(isHash)) return false;
  let fn = index;
  let sn = size - 1;
  let root = claim.leafHash;
  for (const sibling of path) {
    if (sn === 0) return false;
    if (isOdd(fn) || fn === sn) {
      root = nodeHash(sibling, root, sha256);
      [fn, sn] = climb(fn, sn);
    } else root = nodeHash(root, sibling, sha256);
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && root === claim.root;
}

/** RFC 9162, section 2.1.4.2: whether the tree of the old size is the beginning of the new one. */
export function verifyConsistency(claim: ConsistencyClaim, sha256: Sha256): boolean {
  const { oldSize, newSize, oldRoot, newRoot, path } = claim;
  if (!isCount(oldSize) || !isCount(newSize) || oldSize > newSize || !path.every(isHash)) return false;
  if (oldSize === newSize) return path.length === 0 && oldRoot === newRoot;
  if (oldSize === 0) return path.length === 0 && oldRoot === hexOf(sha256(new Uint8Array(0)));
  return rebuild(isPowerOfTwo(oldSize) ? [oldRoot, ...path] : path, claim, sha256);
}

function rebuild([first, ...rest]: readonly string[], claim: ConsistencyClaim, sha256: Sha256): boolean {
  if (first === undefined || !isHash(first)) return false;
  let [fn, sn] = climb(claim.oldSize - 1, claim.newSize - 1, isOdd);
  let [fr, sr] = [first, first];
  for (const node of rest) {
    if (sn === 0) return false;
    if (isOdd(fn) || fn === sn) {
      [fr, sr] = [nodeHash(node, fr, sha256), nodeHash(node, sr, sha256)];
      [fn, sn] = climb(fn, sn);
    } else sr = nodeHash(sr, node, sha256);
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && fr === claim.oldRoot && sr === claim.newRoot;
}

/** Halves both while `fn` is even and not 0 (inside a proof), or while it is odd (where a consistency proof starts). */
function climb(fn: number, sn: number, goesOn = (n: number): boolean => !isOdd(n) && n !== 0): [number, number] {
  while (goesOn(fn)) [fn, sn] = [half(fn), half(sn)];
  return [fn, sn];
}

// Sizes go up to 2^53, where bit operators of the language no longer reach.
const half = (n: number): number => Math.floor(n / 2);
const isOdd = (n: number): boolean => n % 2 === 1;
const isCount = (n: number): boolean => Number.isSafeInteger(n) && n >= 0;
const isHash = (text: string): boolean => /^[0-9a-f]{64}$/.test(text);

function isPowerOfTwo(n: number): boolean {
  while (n > 1 && !isOdd(n)) n = half(n);
  return n === 1;
}

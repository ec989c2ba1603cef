import { PortolanError } from '@portolan/contracts';
import { hexOf, type Sha256 } from '../bytes/bytes.js';
import { nodeHash, splitOf } from './tree.js';

/**
 * A log that keeps node hashes instead of leaves. Stored are the complete subtrees alone: node (level, index) covers the
 * leaves index·2^level to (index+1)·2^level − 1, and is written once, when its last leaf arrives. Everything else of a
 * tree or proof is folded from these.
 */
export interface NodeId {
  readonly level: number;
  readonly index: number;
}

export interface TreeNode extends NodeId {
  readonly hash: string;
}

/** Each element of a proof as the stored nodes, left to right, that it is folded from. */
export type PathPlan = readonly (readonly NodeId[])[];

/** Finds a stored node's hash. */
export type NodeLookup = (id: NodeId) => string | undefined;

/** Stored nodes, left to right, whose fold is the root of the first `size` leaves: what an append and a head need. */
export function frontierNodes(size: number): NodeId[] {
  return cover(0, size);
}

/** The stored nodes that the inclusion path of leaf `index` in a tree of `size` leaves is folded from. */
export function planInclusion(index: number, size: number): PathPlan {
  if (!isCount(size) || !isCount(index) || index >= size) throw range('inclusion');
  const plan: NodeId[][] = [];
  let [low, high] = [0, size];
  while (high - low > 1) {
    const middle = low + splitOf(high - low);
    plan.push(index < middle ? cover(middle, high) : cover(low, middle));
    if (index < middle) high = middle;
    else low = middle;
  }
  return plan.reverse();
}

/** The stored nodes that the consistency proof between two sizes is folded from. */
export function planConsistency(oldSize: number, newSize: number): PathPlan {
  if (!isCount(oldSize) || !isCount(newSize) || oldSize > newSize) throw range('consistency');
  if (oldSize === 0 || oldSize === newSize) return [];
  const plan: NodeId[][] = [];
  let [low, high] = [0, newSize];
  while (oldSize !== high) {
    const middle = low + splitOf(high - low);
    plan.push(oldSize <= middle ? cover(middle, high) : cover(low, middle));
    if (oldSize <= middle) high = middle;
    else low = middle;
  }
  // The old tree's own root is known to the asker unless the walk has left it (RFC 9162, "b" in SUBPROOF).
  if (low !== 0) plan.push(cover(low, high));
  return plan.reverse();
}

/** The proof a plan stands for; `verify.node-missing` where a node is not stored. */
export function foldPlan(plan: PathPlan, lookup: NodeLookup, sha256: Sha256): string[] {
  return plan.map((nodes) =>
    foldNodes(
      nodes.map((id) => stored(id, lookup)),
      sha256,
    ),
  );
}

/** Root of the tree whose frontier has these hashes, left to right; of none: SHA-256 of nothing. */
export function foldNodes(hashes: readonly string[], sha256: Sha256): string {
  if (hashes.length === 0) return hexOf(sha256(new Uint8Array(0)));
  return hashes.reduceRight((right, left) => nodeHash(left, right, sha256));
}

/** The growing right edge of a log: load it by `frontierNodes(size)`, append, store what each append gives back. */
export class Frontier {
  private count: number;
  private readonly edge: TreeNode[];

  /** `hashes` are those of `frontierNodes(size)`, in that order. */
  constructor(
    size: number,
    hashes: readonly string[],
    private readonly sha256: Sha256,
  ) {
    const ids = frontierNodes(size);
    if (ids.length !== hashes.length) throw range('frontier');
    this.count = size;
    this.edge = ids.map((id, i) => ({ ...id, hash: hashes[i] ?? '' }));
  }

  get size(): number {
    return this.count;
  }

  /** Appends a leaf hash; the nodes that are complete now and must be stored, the leaf first. */
  append(leafHash: string): TreeNode[] {
    let node: TreeNode = { level: 0, index: this.count, hash: leafHash };
    const complete = [node];
    while (node.index % 2 === 1) {
      const left = this.edge.pop();
      if (left === undefined) throw range('frontier');
      node = { level: node.level + 1, index: (node.index - 1) / 2, hash: nodeHash(left.hash, node.hash, this.sha256) };
      complete.push(node);
    }
    this.edge.push(node);
    this.count += 1;
    return complete;
  }

  /** Root of what has been appended. */
  root(): string {
    return foldNodes(
      this.edge.map(({ hash }) => hash),
      this.sha256,
    );
  }

  /** The edge's nodes, left to right: what a restart loads. */
  nodes(): readonly TreeNode[] {
    return [...this.edge];
  }
}

/** Complete subtrees that tile the leaves low to high − 1, left to right; low is a multiple of each of their sizes. */
function cover(low: number, high: number): NodeId[] {
  const nodes: NodeId[] = [];
  while (low < high) {
    let level = 0;
    let width = 1;
    while (low + width * 2 <= high) [level, width] = [level + 1, width * 2];
    nodes.push({ level, index: low / width });
    low += width;
  }
  return nodes;
}

function stored(id: NodeId, lookup: NodeLookup): string {
  const hash = lookup(id);
  if (hash === undefined) throw new PortolanError('verify.node-missing', `node ${id.level}/${id.index}`);
  return hash;
}

const isCount = (n: number): boolean => Number.isSafeInteger(n) && n >= 0;
const range = (where: string): PortolanError => new PortolanError('verify.tree-range', where);

import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { bytesOfHex, utf8 } from '../bytes/bytes.js';
import { foldNodes, foldPlan, Frontier, frontierNodes, planConsistency, planInclusion, type NodeId } from './node-store.js';
import { verifyConsistency, verifyInclusion } from './proofs.js';
import { consistencies, emptyRoot, inclusions, leaves, roots } from './rfc6962.vectors.js';
import { consistencyPath, inclusionPath, leafHash, merkleRoot, nodeHash } from './tree.js';

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();
const published = leaves.map((hex) => leafHash(bytesOfHex(hex), sha256));
const sizes = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 255, 256, 257];
const some = (size: number): string[] => Array.from({ length: size }, (_, i) => leafHash(utf8(`leaf ${i}`), sha256));

describe('the published vectors', () => {
  it('root of no leaf', () => expect(merkleRoot([], sha256)).toBe(emptyRoot));
  it.each(roots.map((root, i) => [i + 1, root] as const))('root of %i leaves', (size, root) => {
    expect(merkleRoot(published.slice(0, size), sha256)).toBe(root);
  });
  it.each(inclusions)('inclusion of $index in $size', ({ index, size, path }) => {
    expect(inclusionPath(index, published.slice(0, size), sha256)).toEqual(path);
    expect(verifyInclusion({ leafHash: published[index]!, index, size, path, root: roots[size - 1]! }, sha256)).toBe(true);
  });
  it.each(consistencies)('consistency of $oldSize and $newSize', ({ oldSize, newSize, path }) => {
    expect(consistencyPath(oldSize, published.slice(0, newSize), sha256)).toEqual(path);
    expect(verifyConsistency({ oldSize, oldRoot: roots[oldSize - 1]!, newSize, newRoot: roots[newSize - 1]!, path }, sha256)).toBe(true);
  });
});

describe.each(sizes)('a tree of %i leaves', (size) => {
  const all = some(size);
  const root = merkleRoot(all, sha256);
  const { nodes, frontier } = grown(all);
  const lookup = (id: NodeId): string | undefined => nodes.get(`${id.level}/${id.index}`);

  it('grows leaf by leaf to the same root', () => {
    expect(frontier.root()).toBe(root);
    expect(
      foldNodes(
        frontierNodes(size).map((id) => lookup(id)!),
        sha256,
      ),
    ).toBe(root);
  });
  it('keeps fewer than two nodes a leaf, each once', () => {
    expect(nodes.size).toBeLessThan(Math.max(1, 2 * size));
  });
  it('proves each leaf, from leaves and from stored nodes alike', () => {
    for (const index of picks(size)) {
      const path = inclusionPath(index, all, sha256);
      expect(foldPlan(planInclusion(index, size), lookup, sha256)).toEqual(path);
      expect(verifyInclusion({ leafHash: all[index]!, index, size, path, root }, sha256)).toBe(true);
    }
  });
  it('proves that it goes on from each smaller tree', () => {
    for (const oldSize of [...picks(size), size]) {
      const path = consistencyPath(oldSize, all, sha256);
      expect(foldPlan(planConsistency(oldSize, size), lookup, sha256)).toEqual(path);
      const claim = { oldSize, oldRoot: merkleRoot(all.slice(0, oldSize), sha256), newSize: size, newRoot: root, path };
      expect(verifyConsistency(claim, sha256)).toBe(true);
    }
  });
});

describe('refusals', () => {
  const all = some(5);
  const root = merkleRoot(all, sha256);
  const path = inclusionPath(1, all, sha256);
  const good = { leafHash: all[1]!, index: 1, size: 5, path, root };
  const other = leafHash(utf8('other'), sha256);
  it.each([
    ['another leaf', { ...good, leafHash: other }],
    ['another index', { ...good, index: 2 }],
    ['another root', { ...good, root: other }],
    ['a longer path', { ...good, path: [...path, other] }],
    ['a shorter path', { ...good, path: path.slice(1) }],
    ['an index outside', { ...good, index: 5 }],
    ['a negative index', { ...good, index: -1 }],
    ['a fraction', { ...good, index: 0.5 }],
    [
      'a smaller tree passed off as a larger one',
      { ...good, index: 0, leafHash: all[0]!, size: 3, path: [all[1]!], root: merkleRoot(all.slice(0, 2), sha256) },
    ],
    ['no hash', { ...good, path: ['zz', ...path.slice(1)] }],
  ])('inclusion: %s', (_, claim) => expect(verifyInclusion(claim, sha256)).toBe(false));

  const line = {
    oldSize: 3,
    oldRoot: merkleRoot(all.slice(0, 3), sha256),
    newSize: 5,
    newRoot: root,
    path: consistencyPath(3, all, sha256),
  };
  it.each([
    ['another old root', { ...line, oldRoot: other }],
    ['another new root', { ...line, newRoot: other }],
    ['a smaller new tree', { ...line, newSize: 2 }],
    ['an empty proof', { ...line, path: [] }],
    ['a longer proof', { ...line, path: [...line.path, other] }],
    ['equal sizes, different roots', { ...line, newSize: 3, path: [] }],
    ['an empty tree with a root', { ...line, oldSize: 0, path: [] }],
    [
      'a smaller tree passed off as a larger one',
      { oldSize: 1, oldRoot: all[0]!, newSize: 3, newRoot: merkleRoot(all.slice(0, 2), sha256), path: [all[1]!] },
    ],
    ['a proof from the empty tree', { ...line, oldSize: 0, oldRoot: emptyRoot }],
  ])('consistency: %s', (_, claim) => expect(verifyConsistency(claim, sha256)).toBe(false));

  it('hashes a leaf and a node over the same bytes differently', () => {
    const both = bytesOfHex(all[0]! + all[1]!);
    expect(leafHash(both, sha256)).not.toBe(nodeHash(all[0]!, all[1]!, sha256));
  });
  it('asks outside the tree', () => {
    expect(() => inclusionPath(5, all, sha256)).toThrow('verify.tree-range');
    expect(() => consistencyPath(6, all, sha256)).toThrow('verify.tree-range');
    expect(() => planInclusion(0, 0)).toThrow('verify.tree-range');
    expect(() => planConsistency(2, 1)).toThrow('verify.tree-range');
    expect(() => new Frontier(3, [], sha256)).toThrow('verify.tree-range');
  });
  it('names a node that is missing', () => {
    expect(() => foldPlan(planInclusion(0, 2), () => undefined, sha256)).toThrow('node 0/1');
  });
});

it('a tree far beyond 32 bits is walked without losing its bits', () => {
  const size = 2 ** 45 + 1;
  const plan = planInclusion(size - 1, size);
  expect(plan).toEqual([[{ level: 45, index: 0 }]]);
  const [left, leaf] = some(2) as [string, string];
  expect(verifyInclusion({ leafHash: leaf, index: size - 1, size, path: [left], root: nodeHash(left, leaf, sha256) }, sha256)).toBe(true);
});

function picks(size: number): number[] {
  return Array.from({ length: size }, (_, i) => i).filter((i) => size < 20 || i < 5 || i > size - 5 || i % 37 === 0);
}

function grown(all: readonly string[]): { nodes: Map<string, string>; frontier: Frontier } {
  const nodes = new Map<string, string>();
  let frontier = new Frontier(0, [], sha256);
  for (const [i, leaf] of all.entries()) {
    for (const { level, index, hash } of frontier.append(leaf)) {
      expect(nodes.has(`${level}/${index}`)).toBe(false);
      nodes.set(`${level}/${index}`, hash);
    }
    if (i % 50 === 0)
      frontier = new Frontier(
        i + 1,
        frontierNodes(i + 1).map((id) => nodes.get(`${id.level}/${id.index}`)!),
        sha256,
      );
  }
  return { nodes, frontier };
}

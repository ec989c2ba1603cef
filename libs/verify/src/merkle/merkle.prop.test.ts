import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { utf8 } from '../bytes/bytes.js';
import { verifyConsistency, verifyInclusion } from './proofs.js';
import { consistencyPath, inclusionPath, leafHash, merkleRoot } from './tree.js';

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();
const some = (size: number): string[] => Array.from({ length: size }, (_, i) => leafHash(utf8(`leaf ${i}`), sha256));

/** A size and a place below it. */
const place = fc
  .integer({ min: 1, max: 70 })
  .chain((size) => fc.record({ size: fc.constant(size), index: fc.nat(size - 1), wrong: fc.nat(90) }));

it('a path proves its own index and size and no other', () => {
  fc.assert(
    fc.property(place, ({ size, index, wrong }) => {
      const all = some(size);
      const root = merkleRoot(all, sha256);
      const path = inclusionPath(index, all, sha256);
      const claim = { leafHash: all[index]!, index, size, path, root };
      expect(verifyInclusion(claim, sha256)).toBe(true);
      if (wrong !== index) expect(verifyInclusion({ ...claim, index: wrong }, sha256)).toBe(false);
    }),
    { numRuns: 150 },
  );
});

it('a rewritten past is never consistent', () => {
  fc.assert(
    fc.property(place, fc.nat(69), ({ size, index }, rewritten) => {
      const all = some(size);
      const oldSize = index + 1;
      const forged = all.map((leaf, i) => (i === rewritten % oldSize ? leafHash(utf8('forged'), sha256) : leaf));
      const oldRoot = merkleRoot(all.slice(0, oldSize), sha256);
      const path = consistencyPath(oldSize, forged, sha256);
      expect(verifyConsistency({ oldSize, oldRoot, newSize: size, newRoot: merkleRoot(forged, sha256), path }, sha256)).toBe(false);
      const honest = { oldSize, oldRoot, newSize: size, newRoot: merkleRoot(all, sha256), path: consistencyPath(oldSize, all, sha256) };
      expect(verifyConsistency(honest, sha256)).toBe(true);
    }),
    { numRuns: 150 },
  );
});

import type { EmbeddedReceipt, TrustFile } from '@portolan/contracts';
import { utf8 } from '../bytes/bytes.js';
import { verifyInclusion } from '../merkle/proofs.js';
import { leafHash } from '../merkle/tree.js';
import { leafOf } from './leaf.js';
import { demand, type VerifyDeps } from './report.js';

/** What a receipt of any ledger says about the step itself. */
export type AnchoredLeaf = Pick<EmbeddedReceipt, 'leaf' | 'batch'>;

/** The leaf is the text of a step. */
export function checkLeaf({ leaf }: AnchoredLeaf, _: TrustFile, { validators }: VerifyDeps): string {
  return `${leafOf(leaf, validators).step} of one transfer`;
}

/** The path leads from the leaf to the root of its batch. */
export function checkLeafInBatch({ leaf, batch }: AnchoredLeaf, _: TrustFile, { sha256 }: VerifyDeps): string {
  const { index, count: size, path, root } = batch;
  demand(
    verifyInclusion({ leafHash: leafHash(utf8(leaf), sha256), index, size, path, root }, sha256),
    'the path does not lead to the batch root',
  );
  return `leaf ${index} of ${size} in batch ${batch.n}`;
}

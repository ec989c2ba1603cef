import type { EmbeddedReceipt, Uuid } from '@portolan/contracts';
import type { EvidenceOf } from '@portolan/domain';
import { inclusionPath } from '@portolan/verify';
import { transactionLeaves } from '../chain/block.js';
import { proofOf } from '../copy/agreement.js';
import type { LedgerCopy } from '../copy/ledger-copy.js';
import { committedTx } from './committed.js';

/** The ledger's part of an embedded receipt: from the head's transaction up to the countries' signatures. */
export type EmbeddedEvidence = EvidenceOf<EmbeddedReceipt>;

/** Evidence that a valid transaction stands in a block which two thirds of the countries signed; undefined while it does not. */
export async function evidenceOf(id: Uuid, copy: LedgerCopy): Promise<EmbeddedEvidence | undefined> {
  const place = await copy.store.find(id);
  if (place === undefined) return undefined;
  const [block] = await copy.store.blocks(place.block, 1);
  const transaction = block?.transactions[place.index];
  if (block === undefined || transaction === undefined || committedTx(block, place.index)?.valid !== true) return undefined;
  const attestations = await proofOf(block, copy);
  if (attestations === undefined) return undefined;
  const leaves = transactionLeaves(
    block.transactions.map(({ jws }) => jws),
    copy.tools,
  );
  return {
    v: 1,
    ledger: 'embedded',
    channel: copy.genesis.channel,
    head: { transaction: transaction.jws, index: place.index, path: inclusionPath(place.index, leaves, copy.tools.sha256) },
    header: block.header,
    results: block.results,
    attestations: [...attestations],
  };
}

import type { FabricReceipt, Uuid } from '@portolan/contracts';
import type { EvidenceOf, FabricIndexStore } from '@portolan/domain';

/** The ledger's part of a Fabric receipt: the head's transaction as it stands in its block, with its endorsements. */
export type FabricEvidence = EvidenceOf<FabricReceipt>;

/** Evidence of a valid head, from its commit on our own peer on; undefined for everything else. */
export async function evidenceOf(
  id: Uuid,
  { store, channel }: { readonly store: FabricIndexStore; readonly channel: string },
): Promise<FabricEvidence | undefined> {
  const head = (await store.find(id)).find(({ valid, envelope }) => valid && envelope !== undefined);
  if (head?.envelope === undefined) return undefined;
  return { v: 1, ledger: 'fabric', channel, head: { envelope: Buffer.from(head.envelope).toString('base64') } };
}

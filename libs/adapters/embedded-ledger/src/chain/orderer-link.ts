import type { CompactJws, OrderedAttestation, OrderedBlock } from '@portolan/contracts';

/** The orderer as one organisation reaches it: over mutual TLS, or in the orderer's own process. */
export interface OrdererLink {
  /**
   * Hands a signed transaction in. Resolves once it stands in a block that the orderer keeps durably; the same id twice is one
   * transaction. Throws `ledger.unreachable` and `orderer.busy` (retriable), or the code for which the orderer refuses it.
   */
  submit(jws: CompactJws): Promise<void>;
  /** Hands in own attestations, at most 100. */
  attest(attestations: readonly CompactJws[]): Promise<void>;
  /** Blocks from number `from`, in order; waits up to `waitMs` for the first, then answers with none. */
  blocks(from: number, waitMs: number, until?: AbortSignal): Promise<readonly OrderedBlock[]>;
  /** Attestations with a sequence number above `after`, ascending; waits likewise. */
  attestations(after: number, waitMs: number, until?: AbortSignal): Promise<readonly OrderedAttestation[]>;
}

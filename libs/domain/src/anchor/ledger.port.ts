import type { EmbeddedReceipt, FabricReceipt, Instant, OrgId, Receipt, Uuid } from '@portolan/contracts';

/** What became of one step of a batch. */
export interface StepVerdict {
  readonly transferId: string;
  readonly step: string;
  readonly accepted: boolean;
  readonly code?: string;
  /** Of an accepted step: its leaf's place in the batch's Merkle tree. */
  readonly position?: number;
}

/** One transaction as it stands, valid or not, in a block of our own copy. */
export interface CommittedTx {
  readonly id: Uuid;
  readonly org: OrgId;
  readonly role: 'notary' | 'governance';
  readonly fn: string;
  readonly args: unknown;
  readonly time: Instant;
  readonly valid: boolean;
  /** Registry code of an invalid transaction. */
  readonly code?: string;
  /** Place of the refusal: the rule, a field, or `steps/3,7`. Never a value. */
  readonly where?: string;
  readonly verdicts?: readonly StepVerdict[];
  readonly block: number;
  readonly index: number;
}

export interface CommittedBlock {
  readonly number: number;
  readonly time: Instant;
  readonly transactions: readonly CommittedTx[];
}

/** What proves a head on one ledger: a receipt without the leaf, its place in the batch, and what a party discloses. */
export type EvidenceOf<R extends Receipt> = Omit<R, 'leaf' | 'batch' | 'sealed' | 'disclosed' | 'counterReceipt'>;
export type LedgerEvidence = EvidenceOf<EmbeddedReceipt> | EvidenceOf<FabricReceipt>;

/**
 * The channel as one country's notary sees it: it submits to the orderer and reads its own copy alone. Copies lag; a
 * transaction is valid or invalid as a whole; after a crash the outcome is unknown until `outcome` tells it.
 */
export abstract class Ledger {
  /** Hands a call over for ordering, as this country's notary. The id is the caller's: the same id twice is one transaction.
   *  Throws `ledger.unreachable` (retriable; the outcome is then unknown). */
  abstract submit(call: { id: Uuid; fn: string; args: unknown }): Promise<void>;
  /** The transaction on our own copy, or undefined while it does not stand there. */
  abstract outcome(id: Uuid): Promise<CommittedTx | undefined>;
  /** A record of `owner` on our own copy: the public bytes, given only where they are what the owner's entry holds. */
  abstract record(owner: OrgId, key: string): Promise<Uint8Array | undefined>;
  /** Number of the newest block on our own copy; -1 before the first. */
  abstract height(): Promise<number>;
  /** At most `limit` blocks from number `from`, in order and without a gap. */
  abstract blocks(from: number, limit: number): Promise<readonly CommittedBlock[]>;
  /** Resolves when a block beyond `height` stands on our own copy, or after `timeoutMs`. */
  abstract beyond(height: number, timeoutMs: number): Promise<void>;
  /** When this notary last had an answer from the channel, milliseconds since the Unix epoch; at the latest, when it was opened. */
  abstract lastContact(): number;
  /** Ledger part of a receipt for the transaction that wrote a head; undefined while the countries have not signed (embedded: two thirds). */
  abstract evidence(txId: Uuid): Promise<LedgerEvidence | undefined>;
  abstract close(): Promise<void>;
}

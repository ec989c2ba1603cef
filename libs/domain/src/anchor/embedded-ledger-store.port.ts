import type { CompactJws, OrgId, Sha256, Uuid } from '@portolan/contracts';

/** A block exactly as the orderer distributes it. Its texts are what is hashed and signed: stores keep them byte for byte. */
export interface SignedBlock {
  /** Counts from 0 without gaps. */
  readonly number: number;
  /** block-header, signed by the orderer. */
  readonly header: CompactJws;
  /** ledger-transaction each, signed by its sender; at most 500, in order. */
  readonly transactions: readonly { readonly id: Uuid; readonly jws: CompactJws }[];
}

/** What executing a block gave on one copy. */
export interface BlockOutcome {
  /** block-results, exact text; `resultsHash` is over it. */
  readonly results: string;
  readonly resultsHash: Sha256;
  readonly stateHash: Sha256;
  /** What else is known of each outcome, in the order of the transactions: JSON text, opaque to the store; '' for nothing. */
  readonly verdicts: readonly string[];
}

export interface ExecutedBlock extends SignedBlock, BlockOutcome {}

/** One value of the state. `key` is opaque to the store: printable ASCII, at most 512 characters, compared by code unit. */
export interface StateWrite {
  readonly key: string;
  readonly value: Uint8Array;
}

/** A country's signature on a block. `digest` = SHA-256 of the signed payload: signatures differ each time, what was said does not. */
export interface StoredAttestation {
  readonly block: number;
  readonly org: OrgId;
  readonly digest: Sha256;
  /** block-attestation. */
  readonly jws: CompactJws;
}

/**
 * One organisation's copy of the embedded ledger, in its own database. Rows are appended, state values replaced, nothing is
 * deleted. Several processes may share a copy: they execute alike, and `append` lets one of them win.
 */
export abstract class LedgerCopyStore {
  /**
   * Appends `block` and applies `writes` (each key at most once) in ONE transaction. True where it was appended; false, with
   * nothing written, where the newest block is not `block.number - 1` (-1 before the first), also when another process wins the race.
   */
  abstract append(block: ExecutedBlock, writes: readonly StateWrite[]): Promise<boolean>;
  /** Number of the newest block, -1 before the first. */
  abstract height(): Promise<number>;
  /** Values in the order of `keys` (at most 10,000, any may repeat); undefined for a key never written. One consistent snapshot. */
  abstract read(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]>;
  /** Blocks from number `from` in order, at most `limit`, without a gap; empty beyond the newest. */
  abstract blocks(from: number, limit: number): Promise<readonly ExecutedBlock[]>;
  /** Where the transaction stands. An id that stands twice (the second is invalid) answers with the first place. */
  abstract find(id: Uuid): Promise<{ block: number; index: number } | undefined>;
  /**
   * Keeps attestations, and with them `cursor`: how far the orderer's list was read. One transaction. One that is kept already by
   * (block, org, digest) is passed over. Blocks that this copy has not reached yet are allowed.
   */
  abstract keepAttestations(attestations: readonly StoredAttestation[], cursor: number): Promise<void>;
  /** The cursor last kept, 0 before the first. */
  abstract attestationCursor(): Promise<number>;
  /** All attestations of the blocks `from` to `to`, both included, by (block, org, digest) ascending. */
  abstract attestations(from: number, to: number): Promise<readonly StoredAttestation[]>;
}

/** The orderer's own rows: the chain it made, and the countries' attestations in the order they came. */
export abstract class OrdererStore {
  /**
   * Appends `block` durably before anyone is given it (synchronous commit). True where it was appended; false, with nothing written,
   * where the newest block is not `block.number - 1` or where one of its transaction ids stands in an earlier block.
   */
  abstract append(block: SignedBlock): Promise<boolean>;
  /** Number of the newest block, -1 before the first. */
  abstract height(): Promise<number>;
  /** Blocks from number `from` in order, at most `limit`, without a gap; empty beyond the newest. */
  abstract blocks(from: number, limit: number): Promise<readonly SignedBlock[]>;
  /** Those of `ids` (at most 1,000) that stand in a block. */
  abstract ordered(ids: readonly Uuid[]): Promise<readonly Uuid[]>;
  /** Adds an attestation under the next sequence number (from 1, ascending, gaps allowed). False where it is kept already by (block, org, digest). */
  abstract addAttestation(attestation: StoredAttestation): Promise<boolean>;
  /** Attestations with a sequence number above `seq`, ascending, at most `limit`. A number once read is never preceded later by a smaller unseen one. */
  abstract attestationsAfter(seq: number, limit: number): Promise<readonly (StoredAttestation & { readonly seq: number })[]>;
  /** How many attestations with different digests `org` has for `block`. */
  abstract countAttestations(block: number, org: OrgId): Promise<number>;
}

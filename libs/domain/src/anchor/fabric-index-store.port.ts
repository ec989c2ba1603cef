import type { Instant, OrgId, Sha256, Uuid } from '@portolan/contracts';
import type { StateWrite } from './embedded-ledger-store.port.js';

/** An act of the channel's contract as it stands, valid or not, in a block of our own peer. */
export interface IndexedTx {
  /** Place in the block; transactions that are no acts (configuration, chaincode lifecycle) leave gaps. */
  readonly index: number;
  /** Fabric's own transaction id: 64 hexadecimal digits, another one at each try. */
  readonly fabricId: string;
  /** The caller's id, one for all tries of an act: unique among an organisation's valid ones. */
  readonly id: Uuid;
  readonly org: OrgId;
  readonly role: 'notary' | 'governance';
  readonly fn: string;
  /** Exact JSON text of the arguments. */
  readonly args: string;
  readonly time: Instant;
  readonly valid: boolean;
  /** Registry code of an invalid one. */
  readonly code?: string;
  /** JSON text of what became of a batch's steps, opaque to the store; '' for nothing. */
  readonly verdicts: string;
  /** Exact bytes of the common.Envelope; of valid heads alone, which receipts are built on. */
  readonly envelope?: Uint8Array;
}

export interface IndexedBlock {
  /** Counts from 0 without gaps. */
  readonly number: number;
  /** SHA-256 of the header as Fabric computes it: the next block names it. */
  readonly hash: Sha256;
  /** The greatest transaction time of the chain up to here. */
  readonly time: Instant;
  readonly transactions: readonly IndexedTx[];
}

/** An act with the number of its block. */
export interface FoundTx extends IndexedTx {
  readonly block: number;
}

/** An act that the endorsers refused: it never came to a block, and its id is settled all the same. */
export interface RefusedAct {
  readonly id: Uuid;
  readonly fn: string;
  /** Exact JSON text of the arguments. */
  readonly args: string;
  readonly code: string;
  readonly where: string;
  readonly time: Instant;
  /** Newest block of our own index when it was refused. */
  readonly height: number;
}

/**
 * What a notary keeps of a Fabric channel: the blocks of its own peer as acts, and what they wrote. Everything but the refusals comes from
 * the blocks alone, so an index that is cleared fills itself to the same content. Several processes may share one: `append` lets one win.
 */
export abstract class FabricIndexStore {
  /**
   * Appends `block` and applies `writes` (each key at most once) in ONE transaction: the newest block is the checkpoint of the index. True where
   * it was appended; false, with nothing written, where the newest block is not `block.number - 1` (-1 before the first).
   */
  abstract append(block: IndexedBlock, writes: readonly StateWrite[]): Promise<boolean>;
  /** The newest block without its transactions; undefined before the first. */
  abstract newest(): Promise<Omit<IndexedBlock, 'transactions'> | undefined>;
  /** Values in the order of `keys` (at most 10,000, any may repeat); undefined for a key never written. One consistent snapshot. */
  abstract read(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]>;
  /** The first `limit` values whose keys begin with `prefix`, by key. */
  abstract startingWith(prefix: string, limit: number): Promise<readonly StateWrite[]>;
  /** Blocks from number `from` in order, at most `limit`, without a gap; empty beyond the newest. */
  abstract blocks(from: number, limit: number): Promise<readonly IndexedBlock[]>;
  /** Acts that bear this id, of whichever organisation: valid ones first, then the newest; at most 16. */
  abstract find(id: Uuid): Promise<readonly FoundTx[]>;
  /** Keeps a refusal; of two for one id the first counts. */
  abstract refuse(act: RefusedAct): Promise<void>;
  abstract refusal(id: Uuid): Promise<RefusedAct | undefined>;
  /** Forgets all blocks and values, in one transaction, so that the index is built again from block 0. Refusals stay. */
  abstract clear(): Promise<void>;
}

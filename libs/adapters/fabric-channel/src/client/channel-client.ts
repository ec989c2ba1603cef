import type { common } from '@hyperledger/fabric-protos';
import type { OrgId } from '@portolan/contracts';
import type { SignDigest } from './signers.js';
import type { Tried } from './tried.js';

/** A client identity of the channel: its certificate's key is the one that the registry knows. */
export interface FabricIdentity {
  /** PEM, issued by the organisation's own authority, with the attribute `portolan.role`. */
  readonly certificate: string;
  readonly sign: SignDigest;
}

export interface FabricPeer {
  /** host:port of our own peer. */
  readonly address: string;
  readonly tls: {
    /** PEM of the authority that issued the peer's TLS certificate. */
    readonly ca: string;
    /** PEM, for a peer that asks clients for a certificate, too. */
    readonly cert?: string;
    readonly key?: string;
    /** Name in the peer's certificate, where it is not the address's host. */
    readonly serverName?: string;
  };
}

/** What a client of any SDK is made of. */
export interface ChannelClientOptions {
  /** MSP id. */
  readonly org: OrgId;
  readonly channel: string;
  readonly chaincode: string;
  readonly peer: FabricPeer;
  readonly identity: FabricIdentity;
}

/** Blocks as they are committed on our own peer, until `close`. */
export interface BlockStream extends AsyncIterable<common.Block> {
  close(): void;
}

/**
 * A channel as seen through our own peer: what `FabricLedger` asks of it, whichever SDK stands behind. A test puts another in its place to
 * lose answers. Each call ends within the time that `limits` gives it.
 */
export abstract class ChannelClient {
  /** One try, from endorsement to commit. `onOrdered` is called when the transaction is handed to the orderers. Never rejects. */
  abstract attempt(fn: string, texts: readonly string[], onOrdered: () => void): Promise<Tried>;
  /** A query of the chaincode on our own peer; `ledger.unreachable`. */
  abstract ask(fn: string, ...texts: string[]): Promise<string>;
  /** Blocks that our own peer has committed; `ledger.unreachable`. */
  abstract height(): Promise<number>;
  /** From block `from` on. */
  abstract blocks(from: number): Promise<BlockStream>;
  abstract close(): void;
}

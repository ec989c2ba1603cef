import { Client, credentials, type ChannelCredentials } from '@grpc/grpc-js';
import { p256 } from '@noble/curves/nist.js';
import { connect, hash, signers, type Contract, type Gateway, type Network } from '@hyperledger/fabric-gateway';
import { common } from '@hyperledger/fabric-protos';
import type { OrgId } from '@portolan/contracts';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { validationCode } from '../block/read-block.js';
import { failureOf, unreachable, type Tried } from './failures.js';
import { limits } from './limits.js';

/** Signs a SHA-256 digest by the identity's key: a DER signature of ECDSA P-256, s in its lower half. */
export type SignDigest = (digest: Uint8Array) => Promise<Uint8Array>;

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

/** A channel as seen through our own peer: what `FabricLedger` asks of it. A test puts another in its place to lose answers. */
export abstract class ChannelClient {
  /** One try, from endorsement to commit. `onOrdered` is called when the transaction is handed to the orderers. Never rejects. */
  abstract attempt(fn: string, texts: readonly string[], onOrdered: () => void): Promise<Tried>;
  /** A query of the chaincode on our own peer; `ledger.unreachable`. */
  abstract ask(fn: string, ...texts: string[]): Promise<string>;
  /** Blocks that our own peer has committed; `ledger.unreachable`. */
  abstract height(): Promise<number>;
  abstract blocks(from: number): Promise<BlockStream>;
  abstract close(): void;
}

/** Signer from a key that gives r ‖ s over a digest, such as one in a token. */
export function externalSigner(sign: (digest: Uint8Array) => Promise<Uint8Array>): SignDigest {
  return async (digest) => {
    const signature = p256.Signature.fromBytes(await sign(digest), 'compact');
    const s = signature.hasHighS() ? p256.Point.Fn.neg(signature.s) : signature.s;
    return new p256.Signature(signature.r, s).toBytes('der');
  };
}

/** Signer from a key file: PKCS#8 or SEC 1 PEM of a P-256 key. */
export function pemSigner(privateKeyPem: string): SignDigest {
  return signers.newPrivateKeySigner(createPrivateKey(privateKeyPem));
}

/** Over `@hyperledger/fabric-gateway`: the peer plans endorsements, hands over for ordering and tells the commit. */
export class GatewayChannelClient extends ChannelClient {
  private readonly client: Client;
  private readonly gateway: Gateway;
  private readonly network: Network;
  private readonly contract: Contract;

  constructor(private readonly options: ChannelClientOptions) {
    super();
    const { peer, identity, org, channel, chaincode } = options;
    this.client = new Client(peer.address, credentialsOf(peer), {
      'grpc.max_receive_message_length': limits.messageBytes,
      'grpc.max_send_message_length': limits.messageBytes,
      ...(peer.tls.serverName === undefined ? {} : { 'grpc.ssl_target_name_override': peer.tls.serverName }),
    });
    const within = (ms: number) => () => ({ deadline: Date.now() + ms });
    this.gateway = connect({
      client: this.client,
      identity: { mspId: org, credentials: Buffer.from(identity.certificate) },
      signer: identity.sign,
      hash: hash.sha256,
      ...(peer.tls.cert === undefined ? {} : { tlsClientCertificateHash: certificateHash(peer.tls.cert) }),
      endorseOptions: within(limits.endorseMs),
      submitOptions: within(limits.orderMs),
      commitStatusOptions: within(limits.commitMs),
      evaluateOptions: within(limits.evaluateMs),
      blockEventsOptions: within(limits.streamMs),
    });
    this.network = this.gateway.getNetwork(channel);
    this.contract = this.network.getContract(chaincode);
  }

  async attempt(fn: string, texts: readonly string[], onOrdered: () => void): Promise<Tried> {
    try {
      const transaction = await this.contract.newProposal(fn, { arguments: [...texts] }).endorse();
      onOrdered();
      const status = await (await transaction.submit()).getStatus();
      const code = validationCode(status.code);
      return code === undefined ? { is: 'committed' } : { is: 'again', code };
    } catch (error) {
      return failureOf(error, this.options.org);
    }
  }

  async ask(fn: string, ...texts: string[]): Promise<string> {
    return Buffer.from(await this.evaluated(this.contract, fn, texts)).toString('utf8');
  }

  async height(): Promise<number> {
    const answer = await this.evaluated(this.network.getContract('qscc'), 'GetChainInfo', [this.options.channel]);
    return common.BlockchainInfo.deserializeBinary(answer).getHeight();
  }

  async blocks(from: number): Promise<BlockStream> {
    return this.network.getBlockEvents({ startBlock: BigInt(from) });
  }

  close(): void {
    this.gateway.close();
    this.client.close();
  }

  private async evaluated(contract: Contract, fn: string, texts: readonly string[]): Promise<Uint8Array> {
    try {
      return await contract.evaluateTransaction(fn, ...texts);
    } catch (error) {
      throw unreachable(error);
    }
  }
}

function credentialsOf({ tls: { ca, cert, key } }: FabricPeer): ChannelCredentials {
  if (cert === undefined || key === undefined) return credentials.createSsl(Buffer.from(ca));
  return credentials.createSsl(Buffer.from(ca), Buffer.from(key), Buffer.from(cert));
}

/** The peer binds a stream of blocks to the client's TLS certificate: SHA-256 over its DER bytes. */
function certificateHash(pem: string): Uint8Array {
  return hash.sha256(new X509Certificate(pem).raw);
}

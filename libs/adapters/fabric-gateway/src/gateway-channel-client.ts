import { Client, credentials, type ChannelCredentials } from '@grpc/grpc-js';
import { connect, hash, type Contract, type Gateway, type Network } from '@hyperledger/fabric-gateway';
import {
  ChannelClient,
  heightIn,
  limits,
  unreachable,
  validationCode,
  type BlockStream,
  type ChannelClientOptions,
  type FabricPeer,
  type Tried,
} from '@portolan/fabric-channel';
import { X509Certificate } from 'node:crypto';
import { failureOf } from './failures.js';

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
      'grpc.max_reconnect_backoff_ms': limits.reconnectMs,
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
    return heightIn(answer);
  }

  async blocks(from: number): Promise<BlockStream> {
    const events = await this.network.getBlockEvents({ startBlock: BigInt(from) });
    let closed = false;
    const close = (): void => {
      closed = true;
      events.close();
    };
    return { [Symbol.asyncIterator]: () => until(() => closed, events), close };
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

/** The SDK's stream ends with an error also where we closed it. */
async function* until<T>(closed: () => boolean, events: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* events;
  } catch (error) {
    if (!closed()) throw unreachable(error);
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

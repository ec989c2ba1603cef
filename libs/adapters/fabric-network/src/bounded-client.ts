import { Client, type Committer, type Endorser, type ServiceEndpoint } from 'fabric-common';
import { limits } from '@portolan/fabric-channel';

/** What may be kept of how a peer or an orderer is reached. Milliseconds, bytes. */
const connectionOptions = {
  'grpc.max_receive_message_length': limits.messageBytes,
  'grpc.max_send_message_length': limits.messageBytes,
  'grpc.max_reconnect_backoff_ms': limits.reconnectMs,
  // How long is waited for a peer or orderer that does not answer, before another is taken.
  'grpc-wait-for-ready-timeout': 2_000,
  requestTimeout: limits.evaluateMs,
};

/** The SDK's client with bounds, and without what it does of its own accord. */
export class BoundedClient extends Client {
  private made: ServiceEndpoint[] = [];

  constructor(name: string) {
    super(name);
    this.setCentralizedConnectionOptions(connectionOptions);
  }

  /** Where no certificate is given, the SDK would make one of its own for TLS, that nobody trusts. */
  override setTlsClientCertAndKey(cert?: string, key?: string): Client {
    return cert === undefined || key === undefined ? this : super.setTlsClientCertAndKey(cert, key);
  }

  override newEndorser(name: string, mspid?: string): Endorser {
    return this.noted(super.newEndorser(name, mspid));
  }

  override newCommitter(name: string, mspid?: string): Committer {
    return this.noted(super.newCommitter(name, mspid));
  }

  /** Ends the connections but these: discovery forgets those that it could not make, without ending them. */
  keep(wanted: readonly ServiceEndpoint[]): void {
    for (const one of this.made) if (!wanted.includes(one)) one.disconnect();
    this.made = this.made.filter((one) => wanted.includes(one));
  }

  private noted<T extends ServiceEndpoint>(one: T): T {
    this.made.push(one);
    return one;
  }
}

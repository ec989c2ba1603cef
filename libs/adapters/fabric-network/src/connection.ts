import './quiet.js';
import {
  User,
  type Channel,
  type DiscoveryHandler,
  type DiscoveryResults,
  type Endorser,
  type Endpoint,
  type Eventer,
  type IdentityContext,
  type ServiceAction,
} from 'fabric-common';
import { Gateway, type IdentityProvider } from 'fabric-network';
import { limits, unreachable, type ChannelClientOptions } from '@portolan/fabric-channel';
import { createHash } from 'node:crypto';
import { BoundedClient } from './bounded-client.js';

/** A step of the SDK: built to bytes, signed by our own signer, then sent. */
interface Step extends ServiceAction {
  build(context: IdentityContext, request?: object): Uint8Array;
}

/** What the SDK's types leave out of a line to a peer: gRPC's client, null before the first connection. */
interface OwnPeer extends Endorser {
  readonly service: object | null;
  waitForReady(): Promise<void>;
}

/** An identity whose key is elsewhere: the SDK is given the certificate alone, and every signature ("offline signing" in its manual). */
const keyElsewhere = 'key elsewhere';

function withoutKey(certificate: string): IdentityProvider {
  const refused = (): never => {
    throw new Error('identities are kept in no wallet');
  };
  return {
    type: keyElsewhere,
    getCryptoSuite: () => User.newCryptoSuite(),
    getUserContext: ({ mspId }, name) => Promise.resolve(User.createUser(name, '', mspId, certificate)),
    fromJson: refused,
    toJson: refused,
  };
}

/** The SDK's view of a channel through our own peer. The keys that sign for it are not in it. */
export class Connection {
  private reaching: Promise<boolean> | undefined;

  private constructor(
    readonly options: ChannelClientOptions,
    readonly channel: Channel,
    private readonly client: BoundedClient,
    private readonly gateway: Gateway,
    private readonly endpoint: Endpoint,
    private readonly peer: OwnPeer,
    private readonly user: User,
  ) {}

  /** Reaches nobody yet: our own peer may be away. */
  static async open(options: ChannelClientOptions): Promise<Connection> {
    const { org, channel: name, identity, peer: at } = options;
    const client = new BoundedClient(`${org} on ${name}`);
    const gateway = new Gateway();
    const { cert, key } = at.tls;
    await gateway.connect(client, {
      identity: { type: keyElsewhere, mspId: org },
      identityProvider: withoutKey(identity.certificate),
      discovery: { enabled: false },
      ...(cert === undefined || key === undefined ? {} : { tlsInfo: { certificate: cert, key } }),
    });
    const channel = (await gateway.getNetwork(name)).getChannel();
    const endpoint = client.newEndpoint({
      url: `grpcs://${at.address}`,
      pem: at.tls.ca,
      ...(at.tls.serverName === undefined ? {} : { 'ssl-target-name-override': at.tls.serverName }),
    });
    const peer = client.newEndorser(at.address, org) as OwnPeer;
    peer.setEndpoint(endpoint);
    channel.addEndorser(peer);
    const user = User.createUser(org, '', org, identity.certificate);
    return new Connection(options, channel, client, gateway, endpoint, peer, user);
  }

  /** Builds and signs a step. A context bears one transaction's id and nonce, so that each step has its own. */
  async ready<S extends Step>(step: S, request?: object): Promise<S> {
    return this.signed(step, step.build(this.context(), request));
  }

  /** Signs what was built. */
  async signed<S extends ServiceAction>(step: S, built: Uint8Array): Promise<S> {
    const signature = await this.options.identity.sign(createHash('sha256').update(built).digest());
    step.sign(Buffer.from(signature));
    return step;
  }

  context(): IdentityContext {
    return this.client.newIdentityContext(this.user);
  }

  /** What a chaincode on our own peer answers; `ledger.unreachable` where it does not, or refuses. */
  async query(chaincode: string, fn: string, texts: readonly string[]): Promise<Uint8Array> {
    try {
      const step = await this.ready(this.channel.newQuery(chaincode), { fcn: fn, args: [...texts] });
      if (!(await this.reached())) throw new Error('our own peer does not answer');
      const { responses, errors } = await step.send({ targets: [this.peer], requestTimeout: limits.evaluateMs });
      const answer = responses[0]?.response;
      if (answer === undefined || answer.status >= 400) throw errors[0] ?? new Error(`status ${answer?.status ?? 'none'}`);
      return answer.payload;
    } catch (error) {
      throw unreachable(error);
    }
  }

  /** Whether our own peer can be reached; whoever asks meanwhile waits for the same. */
  private reached(): Promise<boolean> {
    this.reaching ??= this.reach().finally(() => (this.reaching = undefined));
    return this.reaching;
  }

  /** One connection for good, which gRPC makes again by itself: the SDK would open another each time, beside one that hangs. */
  private async reach(): Promise<boolean> {
    const { service } = this.peer;
    try {
      await (service === null ? this.peer.connect(this.endpoint) : this.peer.waitForReady());
      return true;
    } catch {
      return false;
    }
  }

  /** A line to our own peer for a stream of blocks. */
  async eventer(): Promise<Eventer> {
    const eventer = this.client.newEventer(this.options.peer.address, this.options.org);
    try {
      await eventer.connect(this.endpoint);
      return eventer;
    } catch (error) {
      eventer.disconnect();
      throw error;
    }
  }

  /** Asks our own peer who endorses this organisation's acts and who orders, and connects to them. Gives who takes proposals to them. */
  async discover(): Promise<DiscoveryHandler> {
    const { org, chaincode, peer } = this.options;
    const discoverer = this.client.newDiscoverer(peer.address, org);
    try {
      await discoverer.connect(this.endpoint);
      const service = await this.ready(this.channel.newDiscoveryService(org), { interest: [{ name: chaincode }] });
      // Found anew by `Endorsing`: after one refresh of its own the SDK does not refresh again.
      const never = Number.MAX_SAFE_INTEGER;
      const request = { targets: [discoverer], asLocalhost: false, requestTimeout: limits.evaluateMs, refreshAge: never };
      withOwnWord((await service.send(request)) as DiscoveryResults, org);
      return service.newHandler();
    } finally {
      discoverer.disconnect();
      this.client.keep([this.peer, ...this.channel.getEndorsers(), ...this.channel.getCommitters()]);
    }
  }

  close(): void {
    this.gateway.disconnect();
    this.client.keep([]);
  }
}

/**
 * Every act writes into its organisation's own collection, too, whose policy takes that organisation's endorsement alone. Asked with the name of that
 * collection, discovery answers by its policy and leaves the chaincode's out. So it is asked for the chaincode's, and of the ways to satisfy that
 * those remain in which the organisation endorses.
 */
function withOwnWord({ endorsement_plan: plan }: DiscoveryResults, org: string): void {
  if (plan === undefined) return;
  const [own] = Object.entries(plan.groups).find(([, { peers }]) => peers.some(({ mspid }) => mspid === org)) ?? [];
  plan.layouts = own === undefined ? [] : plan.layouts.filter((layout) => (layout[own] ?? 0) > 0);
}

import { randomUUID, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PortolanError, type KeyRecord, type OrgId, type PublicJwk } from '@portolan/contracts';
import {
  FabricLedger,
  FabricRegistryClient,
  MemoryFabricIndexStore,
  pemSigner,
  type FabricIdentity,
  type ChannelClient,
  type FabricPeer,
} from '@portolan/fabric-channel';
import { sha256, SystemClock } from '@portolan/keys';
import { foundingFn } from '@portolan/ledger-rules';
import { fabricClient, type FabricClientName } from '@portolan/nest';
import { thumbprint } from '@portolan/verify';
import { FabricStack, type FabricEngine, type OrganisationAccess } from '../stack/fabric/index.js';
import { repository } from '../world/repository.js';

export const trialOrgs = ['EE', 'PT', 'BE'] as const;

type ClientName = 'notary' | 'governance';
const days = (n: number): string => new Date(Date.now() + n * 86_400_000).toISOString();

/** Our own peer of an organisation's part of a network. */
export function peerOf({
  org,
  peer,
  tlsAuthorityPem,
}: { readonly org: OrgId } & Pick<OrganisationAccess, 'peer' | 'tlsAuthorityPem'>): FabricPeer {
  if (peer === undefined) throw new Error(`${org} has no peer`);
  return { address: peer, tls: { ca: tlsAuthorityPem } };
}

/** A client identity from its files, and the public key of its certificate. */
export async function identityOf(access: OrganisationAccess, name: ClientName): Promise<FabricIdentity & { readonly jwk: PublicJwk }> {
  const { certificate: file, key } = access.identities[name];
  const [certificate, privateKey] = await Promise.all([readFile(file, 'utf8'), readFile(key, 'utf8')]);
  const { kty, crv, x, y } = new X509Certificate(certificate).publicKey.export({ format: 'jwk' });
  return { certificate, sign: pemSigner(privateKey), jwk: { kty, crv, x, y } as PublicJwk };
}

/** A country on a Fabric network: its notary's ledger, and what its governance does. */
export class FabricCountry {
  readonly store = new MemoryFabricIndexStore();
  readonly troubles: unknown[] = [];
  private opened: FabricLedger | undefined;

  private constructor(
    readonly org: OrgId,
    private readonly stack: FabricStack,
    private readonly access: OrganisationAccess,
    private readonly sdk: FabricClientName,
  ) {}

  static async of(org: OrgId, stack: FabricStack, sdk: FabricClientName = 'fabric-gateway'): Promise<FabricCountry> {
    return new FabricCountry(org, stack, await stack.access(org), sdk);
  }

  get ledger(): FabricLedger {
    if (this.opened === undefined) throw new Error(`the ledger of ${this.org} is closed`);
    return this.opened;
  }

  /** Registers the organisation and its notary's key, as far as that is not done. */
  async found(): Promise<void> {
    const [governance, notary] = [await identityOf(this.access, 'governance'), await identityOf(this.access, 'notary')];
    const { org: _org, v: _v, ...key } = this.keyOf(governance.jwk, 'governance') as { org: OrgId; v: 1 };
    await this.govern(foundingFn, { v: 1, organisation: { org: this.org, kind: 'country', keys: [key] } });
    await this.govern('put-key', this.keyOf(notary.jwk, 'ledger'));
  }

  /** A registry act; one that stands already is done. */
  async govern(fn: string, args: unknown): Promise<void> {
    const registry = new FabricRegistryClient(await this.client('governance'));
    try {
      await registry.act({ id: randomUUID(), fn, args });
    } catch (error) {
      if (!(error instanceof PortolanError) || error.code !== 'ledger.already-written') throw error;
    } finally {
      registry.close();
    }
  }

  /** A line to the channel of its own, to be closed. */
  async client(name: ClientName = 'notary', sdk = this.sdk): Promise<ChannelClient> {
    return fabricClient(sdk, { ...this.place(), identity: await this.identity(name) });
  }

  async identity(name: ClientName = 'notary'): Promise<FabricIdentity> {
    return identityOf(this.access, name);
  }

  /** `between`: what stands between the ledger and the SDK. */
  async open(between: (client: ChannelClient) => ChannelClient = (client) => client, sdk = this.sdk): Promise<FabricLedger> {
    const clock = new SystemClock();
    const onTrouble = (error: unknown): void => void this.troubles.push(error);
    const client = between(await this.client('notary', sdk));
    this.opened = await FabricLedger.open({ ...this.place(), client, store: this.store, clock, onTrouble });
    return this.opened;
  }

  async close(): Promise<void> {
    await this.opened?.close();
    this.opened = undefined;
  }

  async endLedgerKey(): Promise<void> {
    const { jwk } = await identityOf(this.access, 'notary');
    await this.govern('end-key', { v: 1, org: this.org, kid: thumbprint(jwk, sha256) });
  }

  /** How a client of this organisation reaches the channel, but for who it is. */
  place(): { org: OrgId; channel: string; chaincode: string; peer: FabricPeer } {
    const { channel, chaincode } = this.stack;
    return { org: this.org, channel, chaincode: chaincode.name, peer: peerOf({ org: this.org, ...this.access }) };
  }

  private keyOf(jwk: PublicJwk, use: 'ledger' | 'governance'): KeyRecord {
    return { v: 1, org: this.org, kid: thumbprint(jwk, sha256), use, jwk, notBefore: days(-1), notAfter: days(365) };
  }
}

/** Three countries on a Fabric channel of a test's own, each registered and with its notary's ledger open. */
export class FabricTrial {
  private constructor(
    private readonly root: string,
    readonly stack: FabricStack,
    private readonly countries: ReadonlyMap<OrgId, FabricCountry>,
  ) {}

  /** With a regulator's orderer as the fourth where they agree by BFT. `sdk`: how the countries reach the channel. */
  static async start(
    engine: FabricEngine | { readonly absent: string },
    consensus: 'bft' | 'raft',
    sdk?: FabricClientName,
  ): Promise<FabricTrial> {
    if ('absent' in engine) throw new Error(engine.absent);
    const root = await mkdtemp(join(tmpdir(), 'portolan-fabric-'));
    const regulator = consensus === 'bft' ? [{ org: 'REG', kind: 'regulator' as const }] : [];
    const stack = await FabricStack.start({
      folder: join(root, 'network'),
      engine,
      channel: 'trial',
      consensus,
      organisations: [...trialOrgs.map((org) => ({ org, kind: 'country' as const })), ...regulator],
      chaincode: { name: 'portolan', version: '1', others: 1, command: [process.execPath, join(repository, 'apps/contract/dist/main.js')] },
      endsWithUs: true,
    });
    const countries = new Map<OrgId, FabricCountry>();
    for (const org of trialOrgs) countries.set(org, await FabricCountry.of(org, stack, sdk));
    for (const country of countries.values()) await country.found();
    for (const country of countries.values()) await country.open();
    return new FabricTrial(root, stack, countries);
  }

  at(org: OrgId): FabricCountry {
    const country = this.countries.get(org);
    if (country === undefined) throw new Error(`no ${org} on this channel`);
    return country;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.countries.values()].map((country) => country.close()));
    await this.stack.stop();
    await rm(this.root, { recursive: true, force: true });
  }
}

import { randomUUID, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { PortolanError, type KeyRecord, type OrgId, type PublicJwk } from '@portolan/contracts';
import {
  FabricLedger,
  FabricRegistryClient,
  MemoryFabricIndexStore,
  pemSigner,
  type FabricIdentity,
  type FabricPeer,
} from '@portolan/fabric-channel';
import { GatewayChannelClient } from '@portolan/fabric-gateway';
import { sha256, SystemClock } from '@portolan/keys';
import { foundingFn } from '@portolan/ledger-rules';
import { thumbprint } from '@portolan/verify';
import type { FabricStack, OrganisationAccess } from '../stack/fabric/index.js';

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
  ) {}

  static async of(org: OrgId, stack: FabricStack): Promise<FabricCountry> {
    return new FabricCountry(org, stack, await stack.access(org));
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
    const identity = await identityOf(this.access, 'governance');
    const registry = new FabricRegistryClient(new GatewayChannelClient({ ...this.place(), identity }));
    try {
      await registry.act({ id: randomUUID(), fn, args });
    } catch (error) {
      if (!(error instanceof PortolanError) || error.code !== 'ledger.already-written') throw error;
    } finally {
      registry.close();
    }
  }

  async open(): Promise<FabricLedger> {
    const identity = await identityOf(this.access, 'notary');
    const clock = new SystemClock();
    const onTrouble = (error: unknown): void => void this.troubles.push(error);
    const place = this.place();
    const client = new GatewayChannelClient({ ...place, identity });
    this.opened = await FabricLedger.open({ ...place, client, store: this.store, clock, onTrouble });
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

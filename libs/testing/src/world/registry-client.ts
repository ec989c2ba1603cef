import { FabricRegistryClient, pemSigner } from '@portolan/fabric-channel';
import { GatewayChannelClient } from '@portolan/fabric-gateway';
import { FileKeyVault, SystemClock, type CountryFolders } from '@portolan/keys';
import type { FabricStack } from '../stack/fabric/index.js';

/** Who signs a registry act: an organisation, and the folders of whoever's governance key it is. Its own, but for a forger. */
export interface RegistryCaller {
  readonly org: string;
  readonly folders: CountryFolders;
  /** Whose identity authority certifies the key; the organisation's own where absent. */
  readonly certifiedBy?: string;
}

/** A line to the channel for registry acts, through the organisation's own peer. To be closed. */
export async function registryClientOf(
  fabric: FabricStack,
  { org, folders, certifiedBy = org }: RegistryCaller,
): Promise<FabricRegistryClient> {
  const { peer, tlsAuthorityPem } = await fabric.access(org);
  if (peer === undefined) throw new Error(`${org} has no peer`);
  const vault = new FileKeyVault({ folder: folders.governanceKeys, clock: new SystemClock() });
  const { kid, publicJwk } = await vault.current('ledger');
  const client = new GatewayChannelClient({
    org,
    channel: fabric.channel,
    chaincode: fabric.chaincode.name,
    peer: { address: peer, tls: { ca: tlsAuthorityPem, serverName: 'localhost' } },
    identity: { certificate: await fabric.certify(certifiedBy, 'governance', publicJwk), sign: pemSigner(await vault.ledgerKeyPem(kid)) },
  });
  return new FabricRegistryClient(client);
}

import type { NodeFabricLedger } from '@portolan/contracts';
import type { ChannelClient, ChannelClientOptions } from '@portolan/fabric-channel';

export type FabricClientName = NonNullable<NodeFabricLedger['client']>;

/**
 * The SDK that a node's configuration names, connected to our own peer; `ledger.client-unfit-for-bft`. Both take long to load (`fabric-network` a second and
 * 80 MB), so one is loaded where it is named alone.
 */
export async function fabricClient(name: FabricClientName, options: ChannelClientOptions): Promise<ChannelClient> {
  if (name === 'fabric-gateway') return new (await import('@portolan/fabric-gateway')).GatewayChannelClient(options);
  const { NetworkChannelClient } = await import('@portolan/fabric-network');
  return NetworkChannelClient.open(options);
}

export type { FabricEvidence } from './evidence.js';
export { FabricLedger, type FabricLedgerOptions } from './fabric-ledger.js';
export {
  ChannelClient,
  GatewayChannelClient,
  externalSigner,
  pemSigner,
  type BlockStream,
  type ChannelClientOptions,
  type FabricIdentity,
  type FabricPeer,
  type SignDigest,
} from './gateway/channel-client.js';
export { refusalIn, type Tried } from './gateway/failures.js';
export { FabricRegistryClient } from './gateway/registry-client.js';
export { MemoryFabricIndexStore } from './index/memory-fabric-index-store.js';
export { pinnedEndorser } from './pinned-endorser.js';

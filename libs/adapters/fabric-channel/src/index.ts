export { blockOf, heightIn, type BlockParts } from './block/chain-info.js';
export { validationCode } from './block/read-block.js';
export { consensusIn } from './channel-config.js';
export {
  ChannelClient,
  type BlockStream,
  type ChannelClientOptions,
  type FabricIdentity,
  type FabricPeer,
} from './client/channel-client.js';
export { limits } from './client/limits.js';
export { FabricRegistryClient } from './client/registry-client.js';
export { externalSigner, pemSigner, type SignDigest } from './client/signers.js';
export { refusalOf, unreachable, type Tried } from './client/tried.js';
export type { FabricEvidence } from './evidence.js';
export { FabricLedger, type FabricLedgerOptions } from './fabric-ledger.js';
export { MemoryFabricIndexStore } from './index/memory-fabric-index-store.js';
export { pinnedEndorser } from './pinned-endorser.js';

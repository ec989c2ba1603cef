export { readGenesis, type Genesis } from './chain/genesis.js';
export { limits } from './chain/limits.js';
export {
  makeGenesis,
  participantOf,
  putKeyArgs,
  signRegistryAct,
  type FoundingKey,
  type FoundingOrganisation,
  type GenesisPlan,
  type Governance,
  type RegistryAct,
  type SignBytes,
} from './chain/make-genesis.js';
export type { OrdererLink } from './chain/orderer-link.js';
export { nodeTools, type ChainTools } from './chain/tools.js';
export { admitFn } from './copy/admission.js';
export type { Divergence } from './copy/agreement.js';
export { MemoryLedgerCopyStore, MemoryOrdererStore } from './copy/memory-stores.js';
export { EmbeddedOrderer, type EmbeddedOrdererOptions } from './orderer/embedded-orderer.js';
export { OrdererDoor, type OrdererDoorOptions } from './orderer/orderer-door.js';
export { EmbeddedLedger, type EmbeddedLedgerOptions } from './peer/embedded-ledger.js';
export type { EmbeddedEvidence } from './peer/evidence.js';
export { TlsOrdererLink, type TlsOrdererLinkOptions } from './peer/tls-orderer-link.js';

import { common } from '@hyperledger/fabric-protos';

/** Blocks that a peer has committed, from what its system chaincode answers to `GetChainInfo`: bytes of common.BlockchainInfo. */
export const heightIn = (info: Uint8Array): number => common.BlockchainInfo.deserializeBinary(info).getHeight();

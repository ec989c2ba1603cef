import { common } from '@hyperledger/fabric-protos';

/** Blocks that a peer has committed, from what its system chaincode answers to `GetChainInfo`: bytes of common.BlockchainInfo. */
export const heightIn = (info: Uint8Array): number => common.BlockchainInfo.deserializeBinary(info).getHeight();

/** The parts of a block as an SDK hands them on; bytes as the peer sent them. */
export interface BlockParts {
  readonly number: number;
  readonly previousHash: Uint8Array;
  readonly dataHash: Uint8Array;
  readonly data: readonly Uint8Array[];
  readonly metadata: readonly Uint8Array[];
}

/** A block from parts that another decoder of Fabric's messages took apart. */
export function blockOf({ number, previousHash, dataHash, data, metadata }: BlockParts): common.Block {
  const header = new common.BlockHeader();
  header.setNumber(number);
  header.setPreviousHash(previousHash);
  header.setDataHash(dataHash);
  const envelopes = new common.BlockData();
  envelopes.setDataList([...data]);
  const rest = new common.BlockMetadata();
  rest.setMetadataList([...metadata]);
  const block = new common.Block();
  block.setHeader(header);
  block.setData(envelopes);
  block.setMetadata(rest);
  return block;
}

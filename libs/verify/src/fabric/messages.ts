import { byteList, bytes, count, flag, inner, list, text, unset } from './wire.js';

// The messages of hyperledger/fabric-protos (common/common.proto, msp/identities.proto, peer/*.proto, ledger/rwset/*.proto) that an
// endorsed transaction is made of, with the fields that a head may have. What is not named here is refused: transient data, initialisation,
// range queries, key-level policies and purges have no place in it.

const mostReads = 4096;
const mostWrites = 64;

export const envelope = { payload: bytes(1), signature: bytes(2) };
const header = { channelHeader: bytes(1), signatureHeader: bytes(2) };
export const payload = { header: inner(1, header), data: bytes(2) };

export const channelHeader = {
  type: count(1),
  version: count(2),
  timestamp: inner(3, { seconds: count(1), nanos: count(2) }),
  channelId: text(4),
  txId: text(5),
  epoch: count(6),
  extension: bytes(7),
  tlsCertHash: bytes(8),
};
export const signatureHeader = { creator: bytes(1), nonce: bytes(2) };
export const identity = { mspId: text(1), certificate: text(2) };

const chaincodeId = { path: text(1), name: text(2), version: text(3) };
export const headerExtension = { chaincode: inner(2, chaincodeId) };

export const transaction = { actions: list(1, { header: bytes(1), payload: bytes(2) }, 1) };
const endorsement = { endorser: bytes(1), signature: bytes(2) };
export const actionPayload = {
  proposal: bytes(1),
  action: inner(2, { response: bytes(1), endorsements: list(2, endorsement, 64) }),
};

export const proposalPayload = { input: bytes(1) };
export const invocation = {
  spec: inner(1, { type: count(1), chaincode: inner(2, chaincodeId), input: inner(3, { args: byteList(1, 8), init: unset(3) }) }),
};

export const responsePayload = { proposalHash: bytes(1), extension: bytes(2) };
export const chaincodeAction = {
  results: bytes(1),
  response: inner(3, { status: count(1), message: text(2), payload: bytes(3) }),
  chaincode: inner(4, chaincodeId),
};

const version = { block: count(1), tx: count(2) };
const collection = { name: text(1), hashed: bytes(2), privateHash: bytes(3) };
export const writeSet = {
  model: count(1),
  namespaces: list(2, { name: text(1), kept: bytes(2), collections: list(3, collection, 64) }, 8),
};
export const publicSet = {
  reads: list(1, { key: text(1), version: inner(2, version) }, mostReads),
  writes: list(3, { key: text(1), isDelete: flag(2), value: bytes(3) }, mostWrites),
};
export const hashedSet = {
  reads: list(1, { keyHash: bytes(1), version: inner(2, version) }, mostReads),
  writes: list(2, { keyHash: bytes(1), isDelete: flag(2), valueHash: bytes(3) }, mostWrites),
};

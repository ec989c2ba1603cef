import { common, ledger, msp, peer } from '@hyperledger/fabric-protos';
import { createHash } from 'node:crypto';
import type { Timestamp } from '../block/envelope.js';

export interface FakeWrite {
  /** '' is the public state. */
  readonly collection: string;
  readonly key: string;
  readonly bytes: Uint8Array;
}

export interface FakeCall {
  readonly channel: string;
  readonly chaincode: string;
  readonly org: string;
  readonly txId: string;
  readonly millis: number;
  readonly texts: readonly string[];
  readonly answer: string;
  readonly writes: readonly FakeWrite[];
  readonly endorsers: readonly string[];
}

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

/** The bytes of a transaction's envelope as a client of Fabric makes them, but for signatures, which nobody here looks at. */
export function fakeEnvelope(call: FakeCall): Uint8Array {
  const action = new peer.ChaincodeActionPayload();
  action.setChaincodeProposalPayload(proposalOf(call).serializeBinary());
  action.setAction(endorsedOf(call));
  const one = new peer.TransactionAction();
  one.setPayload(action.serializeBinary());
  const transaction = new peer.Transaction();
  transaction.setActionsList([one]);
  return enveloped(common.HeaderType.ENDORSER_TRANSACTION, call, transaction.serializeBinary());
}

/** A configuration transaction: block 0 of a channel holds one. */
export function fakeConfig(channel: string): Uint8Array {
  const config = new common.Config();
  config.setSequence(7);
  const envelope = new common.ConfigEnvelope();
  envelope.setConfig(config);
  return enveloped(common.HeaderType.CONFIG, { channel, org: 'REG', txId: '', millis: 0 }, envelope.serializeBinary());
}

function enveloped(type: number, call: Pick<FakeCall, 'channel' | 'org' | 'txId' | 'millis'>, data: Uint8Array): Uint8Array {
  const channelHeader = new common.ChannelHeader();
  channelHeader.setType(type);
  channelHeader.setChannelId(call.channel);
  channelHeader.setTxId(call.txId);
  const time = newTimestamp(channelHeader);
  time.setSeconds(Math.floor(call.millis / 1000));
  time.setNanos((call.millis % 1000) * 1_000_000);
  const signatureHeader = new common.SignatureHeader();
  signatureHeader.setCreator(identity(call.org, `client of ${call.org}`));
  const header = new common.Header();
  header.setChannelHeader(channelHeader.serializeBinary());
  header.setSignatureHeader(signatureHeader.serializeBinary());
  const payload = new common.Payload();
  payload.setHeader(header);
  payload.setData(data);
  const envelope = new common.Envelope();
  envelope.setPayload(payload.serializeBinary());
  return envelope.serializeBinary();
}

/** The message class of google.protobuf.Timestamp, from the package that the protos were generated with. */
function newTimestamp(header: common.ChannelHeader): Timestamp {
  // Field 3 of ChannelHeader, an empty message: reading it back gives one to fill.
  const made = common.ChannelHeader.deserializeBinary(new Uint8Array([0x1a, 0x00])).getTimestamp() as Timestamp;
  header.setTimestamp(made);
  return made;
}

function identity(org: string, certificate: string): Uint8Array {
  const serialized = new msp.SerializedIdentity();
  serialized.setMspid(org);
  serialized.setIdBytes(Buffer.from(certificate));
  return serialized.serializeBinary();
}

function proposalOf({ chaincode, texts }: FakeCall): peer.ChaincodeProposalPayload {
  const input = new peer.ChaincodeInput();
  input.setArgsList(texts.map((text) => Buffer.from(text)));
  const spec = new peer.ChaincodeSpec();
  spec.setChaincodeId(chaincodeId(chaincode));
  spec.setInput(input);
  const invocation = new peer.ChaincodeInvocationSpec();
  invocation.setChaincodeSpec(spec);
  const proposal = new peer.ChaincodeProposalPayload();
  proposal.setInput(invocation.serializeBinary());
  return proposal;
}

function endorsedOf(call: FakeCall): peer.ChaincodeEndorsedAction {
  const response = new peer.Response();
  response.setStatus(200);
  response.setPayload(Buffer.from(call.answer));
  const action = new peer.ChaincodeAction();
  action.setChaincodeId(chaincodeId(call.chaincode));
  action.setResponse(response);
  action.setResults(resultsOf(call).serializeBinary());
  const payload = new peer.ProposalResponsePayload();
  payload.setExtension$(action.serializeBinary());
  const endorsed = new peer.ChaincodeEndorsedAction();
  endorsed.setProposalResponsePayload(payload.serializeBinary());
  endorsed.setEndorsementsList(
    call.endorsers.map((org) => {
      const endorsement = new peer.Endorsement();
      endorsement.setEndorser(identity(org, `peer of ${org}`));
      return endorsement;
    }),
  );
  return endorsed;
}

function resultsOf({ chaincode, writes }: FakeCall): ledger.rwset.TxReadWriteSet {
  const { kvrwset } = ledger.rwset;
  const open = new kvrwset.KVRWSet();
  open.setWritesList(
    writes
      .filter(({ collection }) => collection === '')
      .map(({ key, bytes }) => {
        const write = new kvrwset.KVWrite();
        write.setKey(key);
        write.setValue(bytes);
        return write;
      }),
  );
  const namespace = new ledger.rwset.NsReadWriteSet();
  namespace.setNamespace(chaincode);
  namespace.setRwset(open.serializeBinary());
  const collections = Map.groupBy(
    writes.filter(({ collection }) => collection !== ''),
    ({ collection }) => collection,
  );
  namespace.setCollectionHashedRwsetList([...collections].map(([name, own]) => hashedOf(name, own)));
  const results = new ledger.rwset.TxReadWriteSet();
  results.setNsRwsetList([namespace]);
  return results;
}

function hashedOf(name: string, writes: readonly FakeWrite[]): ledger.rwset.CollectionHashedReadWriteSet {
  const { kvrwset } = ledger.rwset;
  const hashed = new kvrwset.HashedRWSet();
  hashed.setHashedWritesList(
    writes.map(({ key, bytes }) => {
      const write = new kvrwset.KVWriteHash();
      write.setKeyHash(sha256(Buffer.from(key)));
      write.setValueHash(sha256(bytes));
      return write;
    }),
  );
  const collection = new ledger.rwset.CollectionHashedReadWriteSet();
  collection.setCollectionName(name);
  collection.setHashedRwset(hashed.serializeBinary());
  return collection;
}

function chaincodeId(name: string): peer.ChaincodeID {
  const id = new peer.ChaincodeID();
  id.setName(name);
  return id;
}

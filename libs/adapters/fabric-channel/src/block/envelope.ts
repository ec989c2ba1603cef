import { common, ledger, msp, peer } from '@hyperledger/fabric-protos';

const { kvrwset } = ledger.rwset;

/** A write of a valid transaction: under a public key, or under the hash of a key in a collection. */
export type RawWrite =
  | { readonly key: string; readonly value: Uint8Array }
  | { readonly collection: string; readonly keyHash: string; readonly valueHash: string };

/** Who endorsed: the organisation of its MSP, and its certificate as PEM. */
export interface Endorser {
  readonly org: string;
  readonly certificate: string;
}

/** A transaction of one chaincode as it stands in a block, valid or not. */
export interface ChaincodeCall {
  readonly txId: string;
  readonly millis: number;
  readonly org: string;
  /** Function and arguments. */
  readonly texts: readonly string[];
  /** Text of the answer's payload. */
  readonly answer: string;
  readonly writes: readonly RawWrite[];
  readonly endorsers: readonly Endorser[];
}

export type Opened =
  | { readonly is: 'call'; readonly chaincode: string; readonly call: () => ChaincodeCall }
  | { readonly is: 'config'; readonly config: () => Uint8Array }
  | { readonly is: 'other' };

/** What kind of transaction an envelope holds. What is inside is taken apart when it is asked for; throws where it is no envelope. */
export function openEnvelope(bytes: Uint8Array): Opened {
  const payload = common.Payload.deserializeBinary(common.Envelope.deserializeBinary(bytes).getPayload_asU8());
  const header = channelHeaderOf(payload);
  if (header.getType() === common.HeaderType.CONFIG) return { is: 'config', config: () => configOf(payload) };
  if (header.getType() !== common.HeaderType.ENDORSER_TRANSACTION) return { is: 'other' };
  const action = actionOf(payload);
  if (action === undefined) return { is: 'other' };
  const spec = specOf(action);
  return { is: 'call', chaincode: spec?.getChaincodeId()?.getName() ?? '', call: () => callOf(payload, header, action) };
}

function callOf(payload: common.Payload, header: common.ChannelHeader, action: peer.ChaincodeActionPayload): ChaincodeCall {
  const result = resultOf(action);
  return {
    txId: header.getTxId(),
    millis: millisOf(header.getTimestamp() as Timestamp | undefined),
    org: creatorOf(payload).getMspid(),
    texts: (specOf(action)?.getInput()?.getArgsList_asU8() ?? []).map(text),
    answer: text(result.getResponse()?.getPayload_asU8() ?? new Uint8Array()),
    writes: writesOf(result),
    endorsers: endorsersOf(action),
  };
}

/** google.protobuf.Timestamp; the protos come without types for Google's own messages. */
export interface Timestamp {
  getSeconds(): number;
  getNanos(): number;
  setSeconds(seconds: number): void;
  setNanos(nanos: number): void;
}

const millisOf = (time: Timestamp | undefined): number =>
  time === undefined ? 0 : time.getSeconds() * 1000 + Math.floor(time.getNanos() / 1_000_000);

function endorsersOf(action: peer.ChaincodeActionPayload): Endorser[] {
  return (action.getAction()?.getEndorsementsList() ?? []).map((endorsement) => endorserOf(endorsement.getEndorser_asU8()));
}

function channelHeaderOf(payload: common.Payload): common.ChannelHeader {
  return common.ChannelHeader.deserializeBinary(payload.getHeader()?.getChannelHeader_asU8() ?? new Uint8Array());
}

function creatorOf(payload: common.Payload): msp.SerializedIdentity {
  const header = common.SignatureHeader.deserializeBinary(payload.getHeader()?.getSignatureHeader_asU8() ?? new Uint8Array());
  return msp.SerializedIdentity.deserializeBinary(header.getCreator_asU8());
}

function endorserOf(bytes: Uint8Array): Endorser {
  const identity = msp.SerializedIdentity.deserializeBinary(bytes);
  return { org: identity.getMspid(), certificate: text(identity.getIdBytes_asU8()) };
}

/** Fabric's peers take transactions of one action alone. */
function actionOf(payload: common.Payload): peer.ChaincodeActionPayload | undefined {
  const [action] = peer.Transaction.deserializeBinary(payload.getData_asU8()).getActionsList();
  return action && peer.ChaincodeActionPayload.deserializeBinary(action.getPayload_asU8());
}

function specOf(action: peer.ChaincodeActionPayload): peer.ChaincodeSpec | undefined {
  const proposal = peer.ChaincodeProposalPayload.deserializeBinary(action.getChaincodeProposalPayload_asU8());
  return peer.ChaincodeInvocationSpec.deserializeBinary(proposal.getInput_asU8()).getChaincodeSpec();
}

function resultOf(action: peer.ChaincodeActionPayload): peer.ChaincodeAction {
  const response = action.getAction()?.getProposalResponsePayload_asU8() ?? new Uint8Array();
  return peer.ChaincodeAction.deserializeBinary(peer.ProposalResponsePayload.deserializeBinary(response).getExtension_asU8());
}

/** Writes in every namespace: a chaincode that calls another writes there, too. */
function writesOf(result: peer.ChaincodeAction): RawWrite[] {
  const namespaces = ledger.rwset.TxReadWriteSet.deserializeBinary(result.getResults_asU8()).getNsRwsetList();
  const own = namespaces.filter((one) => one.getNamespace() === result.getChaincodeId()?.getName());
  return own.flatMap((one) => [...publicWrites(one.getRwset_asU8()), ...one.getCollectionHashedRwsetList().flatMap(hashedWrites)]);
}

function publicWrites(rwset: Uint8Array): RawWrite[] {
  const writes = kvrwset.KVRWSet.deserializeBinary(rwset).getWritesList();
  return writes.map((write) => ({ key: write.getKey(), value: write.getIsDelete() ? new Uint8Array() : write.getValue_asU8() }));
}

function hashedWrites(collection: ledger.rwset.CollectionHashedReadWriteSet): RawWrite[] {
  const writes = kvrwset.HashedRWSet.deserializeBinary(collection.getHashedRwset_asU8()).getHashedWritesList();
  return writes.map((write) => ({
    collection: collection.getCollectionName(),
    keyHash: hex(write.getKeyHash_asU8()),
    valueHash: write.getIsDelete() || write.getIsPurge() ? '' : hex(write.getValueHash_asU8()),
  }));
}

/** The channel's configuration as a configuration transaction leaves it: bytes of common.Config. */
function configOf(payload: common.Payload): Uint8Array {
  return common.ConfigEnvelope.deserializeBinary(payload.getData_asU8()).getConfig()?.serializeBinary() ?? new Uint8Array();
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';

/** fabric-protos, peer/chaincode_shim.proto: ChaincodeMessage.Type.GET_STATE_MULTIPLE, answered by peers of Fabric 3.1 and later. */
const GET_STATE_MULTIPLE = 25;
/** A peer takes 1,000 keys at once where nothing else is configured (core.yaml, chaincode.runtimeParams.maxSizeGetMultipleKeys). */
const MOST_KEYS = 1_000;

interface Message {
  setType(type: number): void;
  setPayload(payload: Uint8Array): void;
}

/** What the shim keeps behind a stub: its stream to the peer. */
interface Handler {
  handleGetState(collection: string, key: string, channel: string, txId: string): Promise<Uint8Array>;
  _askPeerAndListen(message: Message, method: string): Promise<Uint8Array>;
}

/** A transaction's stub, as far as it is told which transaction it is. */
export interface TransactionStub {
  getState(key: string): Promise<Uint8Array>;
  getChannelID(): string;
  getTxID(): string;
}

/**
 * Public states by their keys, empty where nothing is. Each single read is a round trip to the peer, which costs more than what it reads; Fabric's
 * protocol has one message for many keys, and fabric-shim 2.5.8 has no call for it (that for Go has, GetMultipleStates). So a single read is made as
 * the shim makes it, and given the other type and content on its way out. Where the shim has no such way out, each key is read by itself.
 */
export async function manyStates(stub: TransactionStub, keys: readonly string[]): Promise<readonly Uint8Array[]> {
  const { handler } = stub as { handler?: Handler };
  if (keys.length < 2 || !isHandler(handler)) return Promise.all(keys.map((key) => stub.getState(key)));
  const found: Uint8Array[] = [];
  for (let i = 0; i < keys.length; i += MOST_KEYS) found.push(...(await readOnce(handler, stub, keys.slice(i, i + MOST_KEYS))));
  return found;
}

const isHandler = (handler: Handler | undefined): handler is Handler =>
  typeof handler?.handleGetState === 'function' && typeof handler._askPeerAndListen === 'function';

async function readOnce(handler: Handler, stub: TransactionStub, keys: readonly string[]): Promise<readonly Uint8Array[]> {
  const asking = Object.create(handler) as Handler;
  asking._askPeerAndListen = async (message, method) => {
    message.setType(GET_STATE_MULTIPLE);
    message.setPayload(requestOf(keys));
    return handler._askPeerAndListen(message, method);
  };
  const values = valuesOf(await asking.handleGetState('', keys[0] ?? '', stub.getChannelID(), stub.getTxID()));
  if (values.length !== keys.length) throw new TypeError(`the peer answers ${values.length} of ${keys.length} keys`);
  return values;
}

/** `message GetStateMultiple { repeated string keys = 1; string collection = 2; }` */
function requestOf(keys: readonly string[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const key of keys) writer.uint32(0b1010).string(key);
  return writer.finish();
}

/** `message GetStateMultipleResult { repeated bytes values = 1; }` */
function valuesOf(payload: Uint8Array): readonly Uint8Array[] {
  const reader = new BinaryReader(payload);
  const values: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === 1) values.push(reader.bytes());
    else reader.skip(type);
  }
  return values;
}

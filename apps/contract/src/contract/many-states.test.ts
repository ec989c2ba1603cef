import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';
import { describe, expect, it } from 'vitest';
import { manyStates } from './many-states.js';

/** A message of the shim's, as far as it is altered on its way. */
class Message {
  type = 0;
  payload: Uint8Array = new Uint8Array();
  setType = (type: number): void => void (this.type = type);
  setPayload = (payload: Uint8Array): void => void (this.payload = payload);
}

interface ShimHandler {
  handleGetState(): Promise<Uint8Array>;
  _askPeerAndListen(message: Message, method: string): Promise<Uint8Array>;
}

/** The shim's handler before a peer that holds `state`; what was asked of the peer is kept. */
function shim(state: Readonly<Record<string, string>>, answers = (values: readonly string[]): readonly string[] => values) {
  const asked: { type: number; keys: readonly string[] }[] = [];
  const handler: ShimHandler = {
    async handleGetState() {
      return this._askPeerAndListen(new Message(), 'GetState');
    },
    async _askPeerAndListen(message) {
      const reader = new BinaryReader(message.payload);
      const keys: string[] = [];
      while (reader.pos < reader.len) {
        expect(reader.tag()[0]).toBe(1);
        keys.push(reader.string());
      }
      asked.push({ type: message.type, keys });
      const writer = new BinaryWriter();
      for (const value of answers(keys.map((key) => state[key] ?? ''))) writer.uint32(0b1010).bytes(Buffer.from(value));
      return writer.finish();
    },
  };
  const getState = async (key: string): Promise<Uint8Array> => (asked.push({ type: 8, keys: [key] }), Buffer.from(state[key] ?? ''));
  return { asked, stub: { handler, getState, getChannelID: () => 'trial', getTxID: () => 'f' } };
}

const texts = (values: readonly Uint8Array[]): string[] => values.map((value) => Buffer.from(value).toString());

describe('many states', () => {
  it('are asked for in one message, and nothing is nothing', async () => {
    const { asked, stub } = shim({ a: '1', c: 'é' });
    expect(texts(await manyStates(stub, ['a', 'b', 'c']))).toEqual(['1', '', 'é']);
    expect(asked).toEqual([{ type: 25, keys: ['a', 'b', 'c'] }]);
  });

  it('go a thousand at a time, in their order', async () => {
    const keys = Array.from({ length: 2_300 }, (_, n) => `key ${n}`);
    const { asked, stub } = shim(Object.fromEntries(keys.map((key) => [key, key])));
    expect(texts(await manyStates(stub, keys))).toEqual(keys);
    expect(asked.map((one) => one.keys.length)).toEqual([1_000, 1_000, 300]);
  });

  it('are read one by one where the shim has another way to its peer, and where there is one alone', async () => {
    const { asked, stub } = shim({ a: '1' });
    expect(texts(await manyStates(stub, ['a']))).toEqual(['1']);
    expect(texts(await manyStates({ ...stub, handler: {} } as typeof stub, ['a', 'b']))).toEqual(['1', '']);
    expect(asked.map(({ type }) => type)).toEqual([8, 8, 8]);
  });

  it('are never told apart by a peer that answers too few', async () => {
    const { stub } = shim({ a: '1' }, (values) => values.slice(1));
    await expect(manyStates(stub, ['a', 'b'])).rejects.toThrow('1 of 2 keys');
  });
});

import Encoder from 'kafkajs/src/protocol/encoder.js';
import { expect, it } from 'vitest';
import { quickEncoders } from './quick-encoder.js';

const values = [
  0, 1, 63, 64, 127, 128, 300, 16_383, 16_384, 2_097_151, 2_097_152, 268_435_455, 268_435_456, 2_147_483_647, -1, -64, -2_147_483_648,
];
const written = (): string[] =>
  values
    .flatMap((value) => [new Encoder().writeVarInt(value), new Encoder().writeUVarInt(value)])
    .map(({ buffer }) => buffer.toString('hex'));

it('writes what kafkajs writes', () => {
  const before = written();
  quickEncoders();
  expect(written()).toEqual(before);
  const long = new Encoder();
  for (let i = 0; i < 2_000; i += 1) long.writeUVarInt(i);
  expect(long.buffer.length).toBe(128 + 2 * (2_000 - 128));
});

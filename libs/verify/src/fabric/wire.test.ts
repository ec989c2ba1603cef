import { expect, it } from 'vitest';
import { hexOf } from '../bytes/bytes.js';
import { byteList, bytes, count, decode, flag, inner, list, text, unset } from './wire.js';

const shape = {
  blob: bytes(1),
  name: text(2),
  size: count(3),
  open: flag(4),
  within: inner(5, { deep: inner(1, { n: count(1) }) }),
  some: list(6, { n: count(1) }, 2),
  blobs: byteList(7, 3),
  still: unset(8),
  far: count(300),
};
const hex = (digits: string): Uint8Array => Uint8Array.from(digits.match(/../g) ?? [], (byte) => parseInt(byte, 16));
const decoded = (digits: string): Partial<ReturnType<typeof decode<typeof shape>>> => decode(hex(digits), shape, 'Message');

it('gives what is absent as proto3 does', () => {
  const nothing = { blob: new Uint8Array(0), name: '', size: 0, open: false, within: undefined, some: [], blobs: [], still: false, far: 0 };
  expect(decoded('')).toEqual(nothing);
});

it('reads every kind of field', () => {
  const all = decoded('0a0201021202c3a9180720012a040a0208053200320208073a003a01ff4000e01201');
  expect(all).toMatchObject({ name: 'é', size: 7, open: true, within: { deep: { n: 5 } }, some: [{ n: 0 }, { n: 7 }], far: 1 });
  expect([all.blob, ...(all.blobs ?? [])].map((one) => hexOf(one ?? new Uint8Array(0)))).toEqual(['0102', '', 'ff']);
  expect(decoded('18ffffffffffffff0f').size).toBe(Number.MAX_SAFE_INTEGER);
});

it('gives each message lists of its own', () => {
  decoded('3200');
  expect(decoded('').some).toEqual([]);
});

it.each([
  ['an unknown field', '4801', 'Message field 9'],
  ['field 0', '0001', 'Message'],
  ['a field above all', 'f8ffffff0f01', 'Message field 536870911'],
  ['a singular field twice', '0a000a00', 'Message.blob stands too often'],
  ['a list that is too long', '320032003200', 'Message.some stands too often'],
  ['fields out of order', '18010a00', 'Message field 1'],
  ['a list that goes on behind another field', '32003a003200', 'Message field 6'],
  ['a number as bytes', '1a0101', 'Message field 3'],
  ['bytes as a number', '0801', 'Message field 1'],
  ['32 fixed bits', '1d01000000', 'Message field 3'],
  ['64 fixed bits', '190100000000000000', 'Message field 3'],
  ['a group', '2b2c', 'Message field 5'],
  ['the end of a group', '2c', 'Message field 5'],
  ['nested groups without end', '2b'.repeat(5000), 'Message field 5'],
  ['a wire type that is none', '0e', 'Message'],
  ['the seventh wire type', '0f', 'Message'],
  ['a tag longer than need be', '8a0000', 'Message varint'],
  ['a tag without end', '8a8a8a8a8a8a8a8a8a8a8a', 'Message'],
  ['a length longer than need be', '0a8000', 'Message.blob varint'],
  ['a number longer than need be', '188100', 'Message.size varint'],
  ['a number above 2^53', '188080808080808010', 'Message.size'],
  ['a negative number', '18ffffffffffffffffff01', 'Message.size'],
  ['a number of eleven bytes', '18ffffffffffffffffffff01', 'Message'],
  ['a truth that is neither', '2002', 'Message.open'],
  ['a flag that must not be set', '4001', 'Message.still'],
  ['a text that is not UTF-8', '1201ff', 'Message'],
  ['bytes that end too early', '0a0201', 'Message'],
  ['bytes as long as the world', '0affffffff0f', 'Message'],
  ['a tag alone', '0a', 'Message'],
  ['half a number', '1880', 'Message'],
  ['an inner message with a byte behind', '2a030a00ff', 'Message.within'],
  ['an inner message that ends too early', '2a020a02', 'Message.within'],
  ['an unknown field far within', '2a040a021001', 'Message.within.deep field 2'],
])('refuses %s', (_, digits, where) => {
  expect(() => decoded(digits)).toThrow(expect.objectContaining({ code: 'verify.protobuf-malformed', where }));
});

import { describe, expect, it } from 'vitest';
import { wideOrder } from './wide-text.js';

describe('the order of a text in UTF-16', () => {
  it.each([
    ['a byte order mark, first byte low', [0xff, 0xfe, 0x4d, 0x00], 'utf-16le'],
    ['a byte order mark, first byte high', [0xfe, 0xff, 0x00, 0x4d], 'utf-16be'],
    ['two signs of ASCII, low byte first', [0x4d, 0x00, 0x53, 0x00], 'utf-16le'],
    ['two signs of ASCII, high byte first', [0x00, 0x4d, 0x00, 0x53], 'utf-16be'],
    ['the mark of UTF-32, which is none', [0xff, 0xfe, 0x00, 0x00], undefined],
    ['the mark of UTF-32, high byte first', [0x00, 0x00, 0xfe, 0xff], undefined],
    ['a mark and zeros', [0xfe, 0xff, 0x00, 0x00], undefined],
    ['one byte a sign', [0x4d, 0x53, 0x48, 0x7c], undefined],
    ['zeros', [0x00, 0x00, 0x00, 0x00], undefined],
    ['signs beyond ASCII', [0x4d, 0x00, 0x80, 0x00], undefined],
    ['fewer than two signs', [0xff, 0xfe, 0x4d], undefined],
  ] as const)('is told by %s', (_what, bytes, order) => {
    expect(wideOrder(Uint8Array.from(bytes))).toBe(order);
  });
});

import Encoder from 'kafkajs/src/protocol/encoder.js';

/** Most bytes of an unsigned varint of 32 bits. */
const VARINT_MAX_BYTES = 5;
const MORE = 0x80;
const BITS = 0x7f;

/**
 * kafkajs 2.2.4 makes a Buffer of its own for each varint that it writes, four and more a record, and fills a buffer with zeros that it then writes
 * over. What is written is the same.
 */
export function quickEncoders(): void {
  Encoder.prototype.ensureAvailable = function (this: Encoder, length: number): void {
    const needed = this.offset + length;
    if (needed <= this.buf.length) return;
    const grown = Buffer.allocUnsafe(Encoder.nextPowerOfTwo(needed));
    this.buf.copy(grown, 0, 0, this.offset);
    this.buf = grown;
  };
  Encoder.prototype.writeUVarInt = function (this: Encoder, value: number): Encoder {
    this.ensureAvailable(VARINT_MAX_BYTES);
    let rest = value >>> 0;
    for (; rest >= MORE; rest >>>= 7) this.buf[this.offset++] = (rest & BITS) | MORE;
    this.buf[this.offset++] = rest;
    return this;
  };
}

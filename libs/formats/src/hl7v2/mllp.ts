import { PortolanError } from '@portolan/contracts';
import { joined } from '../bytes/joined.js';

/** Minimal Lower Layer Protocol (HL7 v2 Transport Specification, MLLP release 1): VT, the message, FS, CR. */
const startBlock = 0x0b;
const endBlock = 0x1c;
const carriageReturn = 0x0d;

/** A message as one MLLP frame. */
export function mllpFrame(message: Uint8Array): Uint8Array {
  const frame = new Uint8Array(message.length + 3);
  frame[0] = startBlock;
  frame.set(message, 1);
  frame.set([endBlock, carriageReturn], message.length + 1);
  return frame;
}

/**
 * Takes a byte stream apart into the messages of its frames. A chunk may hold part of a frame, or several. After an error the
 * stream cannot be trusted any more: close the connection.
 */
export class MllpDecoder {
  private chunks: Uint8Array[] = [];
  private size = 0;
  private state: 'outside' | 'inside' | 'ending' = 'outside';

  /** @param maxBytes largest message, without its frame */
  constructor(private readonly maxBytes: number) {}

  /**
   * The messages that are complete with this chunk. Throws PortolanError `ingest.frame-invalid` where bytes stand outside a
   * frame (line ends between frames are let pass) and `ingest.frame-too-large` where a frame outgrows the limit.
   */
  push(chunk: Uint8Array): Uint8Array[] {
    const messages: Uint8Array[] = [];
    let at = 0;
    while (at < chunk.length) at = this.step(chunk, at, messages);
    return messages;
  }

  /** Whether a frame has begun and not ended: what the connection's end would cut off. */
  get pending(): boolean {
    return this.state !== 'outside';
  }

  private step(chunk: Uint8Array, at: number, messages: Uint8Array[]): number {
    switch (this.state) {
      case 'outside':
        return this.outside(chunk, at);
      case 'inside':
        return this.inside(chunk, at);
      case 'ending':
        return this.ending(chunk, at, messages);
    }
  }

  private outside(chunk: Uint8Array, at: number): number {
    const byte = chunk[at];
    if (byte === startBlock) this.state = 'inside';
    else if (byte !== carriageReturn && byte !== 0x0a)
      throw new PortolanError('ingest.frame-invalid', 'MLLP', 'bytes before the start block');
    return at + 1;
  }

  private inside(chunk: Uint8Array, at: number): number {
    const end = chunk.indexOf(endBlock, at);
    const until = end < 0 ? chunk.length : end;
    this.take(chunk.slice(at, until));
    if (end < 0) return until;
    this.state = 'ending';
    return until + 1;
  }

  private ending(chunk: Uint8Array, at: number, messages: Uint8Array[]): number {
    if (chunk[at] !== carriageReturn) throw new PortolanError('ingest.frame-invalid', 'MLLP', 'no carriage return after the end block');
    messages.push(joined(this.chunks));
    this.chunks = [];
    this.size = 0;
    this.state = 'outside';
    return at + 1;
  }

  private take(bytes: Uint8Array): void {
    if (bytes.includes(startBlock)) throw new PortolanError('ingest.frame-invalid', 'MLLP', 'a start block inside a frame');
    this.size += bytes.length;
    if (this.size > this.maxBytes) throw new PortolanError('ingest.frame-too-large', 'MLLP', `more than ${this.maxBytes} bytes`);
    this.chunks.push(bytes);
  }
}

import { PortolanError } from '@portolan/contracts';
import { joined } from './joined.js';

export type WideOrder = 'utf-16le' | 'utf-16be';

/**
 * Whether a text is in UTF-16, and in which order of bytes: by its byte order mark, or because its first two signs are ASCII, as those of each
 * message and XML document are. UTF-32 is neither.
 */
export function wideOrder(bytes: Uint8Array): WideOrder | undefined {
  if (bytes.length < 4) return undefined;
  const [a = 0, b = 0, c = 0, d = 0] = bytes;
  if (isLowFirst(a, b, c, d)) return 'utf-16le';
  return isLowFirst(b, a, d, c) ? 'utf-16be' : undefined;
}

function isLowFirst(a: number, b: number, c: number, d: number): boolean {
  return (a === 0xff && b === 0xfe && (c | d) !== 0) || (isAscii(a) && b === 0 && isAscii(c) && d === 0);
}

const isAscii = (byte: number): boolean => byte > 0 && byte < 0x80;

/** Bytes of UTF-16 as UTF-8, without a byte order mark; what is no text becomes U+FFFD. */
export function narrowed(bytes: Uint8Array, order: WideOrder): Uint8Array {
  return new TextEncoder().encode(new TextDecoder(order).decode(bytes));
}

/** Bytes of UTF-8 as UTF-16. */
export function widened(bytes: Uint8Array, order: WideOrder): Uint8Array {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  const wide = new Uint8Array(text.length * 2);
  const view = new DataView(wide.buffer);
  for (let at = 0; at < text.length; at += 1) view.setUint16(at * 2, text.charCodeAt(at), order === 'utf-16le');
  return wide;
}

/**
 * Lets what is written for bytes, in which a line end is one byte, read UTF-16 as its chunks come: they go in through `narrow`, what is taken out
 * of them comes back through `restore` as it was. Bytes of any other character set pass as they are.
 */
export class WideText {
  private held: Uint8Array = new Uint8Array();
  private decoder: { readonly order?: WideOrder; readonly decode?: InstanceType<typeof TextDecoder> } | undefined;

  /** Throws PortolanError `ingest.encoding-invalid`. */
  narrow(chunk: Uint8Array): Uint8Array {
    if (this.decoder !== undefined) return this.decoded(chunk, true);
    this.held = joined([this.held, chunk]);
    return this.held.length < 4 ? new Uint8Array() : this.begun();
  }

  /** What was held back, at the end of the text. */
  rest(): Uint8Array {
    const begun = this.decoder === undefined ? this.begun() : new Uint8Array();
    return joined([begun, this.decoded(new Uint8Array(), false)]);
  }

  restore(bytes: Uint8Array): Uint8Array {
    return this.decoder?.order === undefined ? bytes : widened(bytes, this.decoder.order);
  }

  private begun(): Uint8Array {
    const order = wideOrder(this.held);
    this.decoder = order === undefined ? {} : { order, decode: new TextDecoder(order, { fatal: true }) };
    const { held } = this;
    this.held = new Uint8Array();
    return this.decoded(held, true);
  }

  private decoded(bytes: Uint8Array, stream: boolean): Uint8Array {
    if (this.decoder?.decode === undefined) return bytes;
    try {
      return new TextEncoder().encode(this.decoder.decode.decode(bytes, { stream }));
    } catch {
      throw new PortolanError('ingest.encoding-invalid', 'file', 'no text of UTF-16');
    }
  }
}

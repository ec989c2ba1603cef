import { createHash } from 'node:crypto';

/** What the hash of a block covers. */
export interface BlockHeaderParts {
  readonly number: number;
  /** Hash of the block before; empty for block 0. */
  readonly previous: Uint8Array;
  readonly dataHash: Uint8Array;
}

/**
 * Hash of a block as Fabric chains it: SHA-256 over the DER text of SEQUENCE { INTEGER number, OCTET STRING previous,
 * OCTET STRING dataHash } (Fabric, protoutil.BlockHeaderHash; X.690).
 */
export function headerHash({ number, previous, dataHash }: BlockHeaderParts): Buffer {
  const content = Buffer.concat([der(0x02, integerBytes(number)), der(0x04, previous), der(0x04, dataHash)]);
  return createHash('sha256').update(der(0x30, content)).digest();
}

/** Hash of a block's transactions: SHA-256 over their bytes one after the other (protoutil.ComputeBlockDataHash). */
export function dataHashOf(transactions: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const bytes of transactions) hash.update(bytes);
  return hash.digest();
}

/** All lengths here are below 128: hashes, and a number of at most eight bytes. */
function der(tag: number, content: Uint8Array): Buffer {
  if (content.length > 127) throw new RangeError('a header hash covers short values alone');
  return Buffer.concat([Buffer.from([tag, content.length]), content]);
}

/** Big endian without leading zeros, with one where the first bit would make it negative. */
function integerBytes(number: number): Buffer {
  const hex = number.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return (bytes[0] ?? 0) > 127 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes;
}

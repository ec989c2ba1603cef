import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Reader } from './wire.js';

/** A block as it lies in a peer's block store. */
export interface PeerBlock {
  readonly number: number;
  /** Over number, `previous` and `dataHash`, hexadecimal; computed here. */
  readonly hash: string;
  readonly previous: string;
  readonly dataHash: string;
  readonly envelopes: readonly Buffer[];
  /** The peer's word on each transaction: one byte each, 0 where it is valid. */
  readonly flags: Buffer;
}

/** Place of a block's validation flags among its metadata (Fabric, common.BlockMetadataIndex). */
const TRANSACTIONS_FILTER = 2;

/**
 * All blocks that a peer keeps, read from its block files without asking it: `blockfile_NNNNNN`, each a sequence of a length and a block
 * (Fabric, common/ledger/blkstorage, serializeBlock). A last one that is not whole yet is left out, as the peer does when it starts.
 */
export async function readPeerBlocks(folder: string): Promise<readonly PeerBlock[]> {
  const names = (await readdir(folder)).filter((name) => /^blockfile_\d{6}$/.test(name)).sort();
  const files = await Promise.all(names.map((name) => readFile(join(folder, name))));
  return files.flatMap((bytes) => blocksIn(bytes));
}

function blocksIn(file: Buffer): PeerBlock[] {
  const blocks: PeerBlock[] = [];
  const reader = new Reader(file);
  while (!reader.isAtEnd) {
    const whole = stringOrEnd(reader);
    if (whole === undefined) break;
    blocks.push(blockOf(new Reader(whole)));
  }
  return blocks;
}

function stringOrEnd(reader: Reader): Buffer | undefined {
  try {
    return reader.string();
  } catch {
    return undefined;
  }
}

function blockOf(reader: Reader): PeerBlock {
  const number = reader.varint();
  const [dataHash, previous] = [reader.string(), reader.string()];
  const envelopes = Array.from({ length: reader.varint() }, () => reader.string());
  const metadata = Array.from({ length: reader.varint() }, () => reader.string());
  return {
    number,
    hash: headerHash(number, previous, dataHash),
    previous: previous.toString('hex'),
    dataHash: dataHash.toString('hex'),
    envelopes,
    flags: metadata[TRANSACTIONS_FILTER] ?? Buffer.alloc(0),
  };
}

/** SHA-256 over DER: SEQUENCE of INTEGER number, OCTET STRING previous, OCTET STRING dataHash (Fabric, protoutil.BlockHeaderHash). */
function headerHash(number: number, previous: Buffer, dataHash: Buffer): string {
  const digits = number.toString(16);
  const plain = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex');
  const integer = (plain[0] ?? 0) >= 128 ? Buffer.concat([Buffer.of(0), plain]) : plain;
  const tagged = (tag: number, content: Buffer): Buffer => Buffer.concat([Buffer.of(tag, content.length), content]);
  const whole = tagged(0x30, Buffer.concat([tagged(0x02, integer), tagged(0x04, previous), tagged(0x04, dataHash)]));
  return createHash('sha256').update(whole).digest('hex');
}

export const hashOfData = (envelopes: readonly Buffer[]): string => {
  const hash = createHash('sha256');
  for (const bytes of envelopes) hash.update(bytes);
  return hash.digest('hex');
};

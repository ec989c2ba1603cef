import { callIn } from './envelope.js';
import type { PeerBlock } from './peer-blocks.js';

/** A violation put into a notary's index of a real channel, or into the block files of peers: what the checker must find where. */
export interface FabricPlant {
  readonly name: string;
  readonly found: RegExp;
  /** Statements in EE's database. */
  readonly sql?: readonly string[];
  /** What becomes of the blocks of these peers; of all peers where none is named. */
  readonly blocks?: { readonly of?: string; readonly change: (blocks: readonly PeerBlock[]) => readonly PeerBlock[] };
}

const aBatch = `(SELECT min(block) FROM notary.fabric_tx WHERE fn = 'anchor-batch' AND valid)`;

/** The block of the first valid call that fits, and the call's place in it. */
function placeOf(blocks: readonly PeerBlock[], fits: (fn: string, text: string) => boolean): { block: number; index: number } {
  for (const { number, envelopes, flags } of blocks) {
    const index = envelopes.findIndex((bytes, at) => {
      const [fn = '', , text = ''] = callIn(bytes)?.args ?? [];
      return flags[at] === 0 && fits(fn, text);
    });
    if (index >= 0) return { block: number, index };
  }
  throw new Error('no such call on this channel');
}

const altered = (bytes: Buffer, at: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
};

const withBlock = (blocks: readonly PeerBlock[], number: number, change: (block: PeerBlock) => PeerBlock): readonly PeerBlock[] =>
  blocks.map((block) => (block.number === number ? change(block) : block));

/** Alters one byte of an envelope, counted from its end where negative: there lies the signature. */
const alterEnvelope =
  (fits: (fn: string, text: string) => boolean, byte: number) =>
  (blocks: readonly PeerBlock[]): readonly PeerBlock[] => {
    const { block, index } = placeOf(blocks, fits);
    return withBlock(blocks, block, (one) => ({
      ...one,
      envelopes: one.envelopes.map((bytes, at) => (at === index ? altered(bytes, byte < 0 ? bytes.length + byte : byte) : bytes)),
    }));
  };

const invalidate =
  (fits: (fn: string, text: string) => boolean) =>
  (blocks: readonly PeerBlock[]): readonly PeerBlock[] => {
    const { block, index } = placeOf(blocks, fits);
    return withBlock(blocks, block, (one) => ({ ...one, flags: Buffer.from(one.flags.map((flag, at) => (at === index ? 10 : flag))) }));
  };

const isPermit = (fn: string): boolean => fn === 'put-permit';
const releases = (fn: string, text: string): boolean => fn === 'anchor-batch' && text.includes('released');

export const fabricPlants: readonly FabricPlant[] = [
  // The notary's index
  {
    name: 'a value of the state altered',
    sql: [
      `UPDATE notary.fabric_state SET value = '\\x7b7d' WHERE key = (SELECT min(key) FROM notary.fabric_state WHERE key LIKE 'public:EE/batch/%')`,
    ],
    found: /^4 EE notary.fabric_state public:EE\/batch\/\S+ is not what the channel/,
  },
  {
    name: 'a value that nobody wrote',
    sql: [`INSERT INTO notary.fabric_state VALUES ('public:EE/permit/forged', '\\x7b7d')`],
    found: /^4 EE notary.fabric_state public:EE\/permit\/forged nobody wrote it/,
  },
  {
    name: 'a block lost',
    sql: [`DELETE FROM notary.fabric_tx WHERE block = ${aBatch}`, 'DELETE FROM notary.fabric_block WHERE number = 7'],
    found: /^4 EE notary.fabric_block 7 the peer has this block/,
  },
  {
    name: 'a block replaced',
    sql: [`UPDATE notary.fabric_block SET hash = repeat('0', 64) WHERE number = 7`],
    found: /^4 EE notary.fabric_block 7 is another block/,
  },
  {
    name: 'a transaction lost',
    sql: [`DELETE FROM notary.fabric_tx WHERE block = ${aBatch}`],
    found: /^4 EE notary.fabric_tx \S+ the peer has this transaction/,
  },
  {
    name: 'a transaction invented',
    sql: [
      `INSERT INTO notary.fabric_tx SELECT block, index + 100, fabric_id, id, org, role, fn, args, time, valid, code, verdicts, envelope FROM notary.fabric_tx WHERE block = ${aBatch}`,
    ],
    found: /^4 EE notary.fabric_tx \d+\/10\d the peer has no such transaction/,
  },
  {
    name: 'a transaction rewritten',
    sql: [`UPDATE notary.fabric_tx SET args = '{}' WHERE block = ${aBatch}`],
    found: /^4 EE notary.fabric_tx \S+ is another transaction/,
  },
  {
    name: 'an outcome rewritten',
    sql: [`UPDATE notary.fabric_tx SET valid = false WHERE block = ${aBatch}`],
    found: /^4 EE notary.fabric_tx \S+ counts, and is invalid here/,
  },
  {
    name: 'a step judged otherwise',
    sql: [`UPDATE notary.fabric_tx SET verdicts = replace(verdicts, '"accepted":true', '"accepted":false') WHERE block = ${aBatch}`],
    found: /^4 EE notary.fabric_tx \S+ its steps are judged otherwise/,
  },
  // A peer's own blocks
  {
    name: 'a block lost in a peer',
    blocks: { of: 'PT', change: (blocks) => blocks.filter(({ number }) => number !== 7) },
    found: /^4 PT peer block 8 a block is missing before it/,
  },
  {
    name: 'the last block lost in a peer',
    blocks: { of: 'PT', change: (blocks) => blocks.slice(0, -1) },
    found: /^4 peers of EE and PT heights differ/,
  },
  {
    name: 'a transaction altered in a peer',
    blocks: { of: 'PT', change: alterEnvelope(releases, 200) },
    found: /^4 PT peer block \d+ its transactions are not those of its header/,
  },
  {
    name: 'an outcome altered in a peer',
    blocks: { of: 'PT', change: invalidate(isPermit) },
    found: /^4 peers of EE and PT, block \d+ judged differently/,
  },
  // Every peer's blocks
  {
    name: 'a permit that never counted',
    blocks: { change: invalidate(isPermit) },
    found: /^3 step \S+ released no permit of these countries/,
  },
  {
    name: 'a batch of steps anchored twice',
    blocks: {
      change: (blocks) => [...blocks, ...blocks.filter(({ number }) => number === placeOf(blocks, releases).block)],
    },
    found: /^5 step \S+ released anchored twice/,
  },
  {
    name: 'an act nobody signed',
    blocks: { change: alterEnvelope(isPermit, -1) },
    found: /^11 transaction \S+ put-permit counts without the signature/,
  },
];

/** Blocks in the form of a peer's block file, with no more of their metadata than is read of it. */
export function blockFile(blocks: readonly PeerBlock[]): Buffer {
  return Buffer.concat(blocks.map((block) => string(blockBytes(block))));
}

function blockBytes({ number, dataHash, previous, envelopes, flags }: PeerBlock): Buffer {
  const metadata = [Buffer.alloc(0), Buffer.alloc(0), flags];
  return Buffer.concat([
    varint(number),
    ...[Buffer.from(dataHash, 'hex'), Buffer.from(previous, 'hex')].map(string),
    varint(envelopes.length),
    ...envelopes.map(string),
    varint(metadata.length),
    ...metadata.map(string),
  ]);
}

const string = (bytes: Buffer): Buffer => Buffer.concat([varint(bytes.length), bytes]);

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) + 128);
  }
}

import {
  canonicalJson,
  PortolanError,
  type BlockHeader,
  type CompactJws,
  type Instant,
  type OrderedBlock,
  type Sha256 as Sha256Hex,
} from '@portolan/contracts';
import type { SignedBlock } from '@portolan/domain';
import { jwsHash, leafHash, merkleRoot, payloadOf, decodeJws, thumbprint, utf8, verifyJws } from '@portolan/verify';
import type { Genesis } from './genesis.js';
import { openTransaction, type OpenedTransaction } from './transaction.js';
import type { ChainTools } from './tools.js';

/** The end of a chain: what the next block's header must continue. */
export interface Tip {
  readonly number: number;
  readonly hash: Sha256Hex;
  readonly time: Instant;
}

/** A block that continues a chain: header, signature, root and the form of each transaction are right. */
export interface CheckedBlock {
  readonly signed: SignedBlock;
  readonly tip: Tip;
  readonly transactions: readonly OpenedTransaction[];
}

export function tipBefore(genesis: Genesis): Tip {
  return { number: -1, hash: genesis.hash, time: genesis.time };
}

/** The tip that a block of our own store makes; its header was checked when it was taken in. */
export function tipOf({ header, number }: SignedBlock, { sha256 }: ChainTools): Tip {
  return { number, hash: jwsHash(header, sha256), time: headerOf(header).time };
}

/** Payload of a header that was checked before. */
export function headerOf(header: CompactJws): BlockHeader {
  return JSON.parse(decodeJws(header).payload) as BlockHeader;
}

/** RFC 6962 leaf hash of each transaction. */
export function transactionLeaves(transactions: readonly CompactJws[], { sha256 }: ChainTools): string[] {
  return transactions.map((jws) => leafHash(utf8(jws), sha256));
}

/** The exact header text that the orderer signs for the block after `tip`. */
export function headerText(channel: string, tip: Tip, transactions: readonly CompactJws[], time: Instant, tools: ChainTools): string {
  const header: BlockHeader = {
    v: 1,
    channel,
    number: tip.number + 1,
    previous: tip.hash,
    txRoot: merkleRoot(transactionLeaves(transactions, tools), tools.sha256),
    count: transactions.length,
    time,
  };
  return canonicalJson(header);
}

/** Checks that a block as the orderer gave it continues the chain after `tip`; `orderer.block-invalid` naming what does not fit. */
export async function checkBlock(block: OrderedBlock, tip: Tip, genesis: Genesis, tools: ChainTools): Promise<CheckedBlock> {
  const number = tip.number + 1;
  try {
    const header = await verifiedHeader(block.header, genesis, tools);
    const mistake = headerMistake(header, block, tip, genesis, tools);
    if (mistake !== undefined) throw invalid(number, mistake);
    const transactions = block.transactions.map((jws) => openTransaction(jws, genesis.channel, tools));
    const signed = { number, header: block.header, transactions: transactions.map(({ jws, payload }) => ({ id: payload.id, jws })) };
    return { signed, transactions, tip: { number, hash: jwsHash(block.header, tools.sha256), time: header.time } };
  } catch (error) {
    throw error instanceof PortolanError && error.code !== 'orderer.block-invalid' ? invalid(number, error.code, error) : error;
  }
}

async function verifiedHeader(header: CompactJws, genesis: Genesis, { subtle, sha256, validators }: ChainTools): Promise<BlockHeader> {
  const jws = await verifyJws(header, genesis.orderer.jwk, subtle, 'block-header');
  if (jws.header.kid !== thumbprint(genesis.orderer.jwk, sha256)) throw new PortolanError('ledger.key-mismatch', 'block header');
  return payloadOf(jws, 'block-header', validators);
}

function headerMistake(header: BlockHeader, block: OrderedBlock, tip: Tip, genesis: Genesis, tools: ChainTools): string | undefined {
  const expected = headerText(genesis.channel, tip, block.transactions, header.time, tools);
  const due = JSON.parse(expected) as BlockHeader;
  const parts = ['channel', 'number', 'previous', 'txRoot', 'count'] as const;
  const wrong = parts.find((part) => header[part] !== due[part]);
  if (wrong !== undefined) return wrong;
  if (header.time < tip.time) return 'time';
  return header.number === 0 ? genesisMistake(header, block, genesis) : undefined;
}

/** Block 0 holds exactly what the genesis says. */
function genesisMistake(header: BlockHeader, block: OrderedBlock, genesis: Genesis): string | undefined {
  if (header.time !== genesis.time) return 'time';
  return block.transactions.join('\n') === genesis.transactions.join('\n') ? undefined : 'genesis transactions';
}

const invalid = (number: number, what: string, cause?: unknown): PortolanError =>
  new PortolanError('orderer.block-invalid', `block ${number} ${what}`, undefined, { cause });

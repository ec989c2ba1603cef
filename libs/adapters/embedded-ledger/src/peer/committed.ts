import type { BlockResults } from '@portolan/contracts';
import type { CommittedBlock, CommittedTx, ExecutedBlock } from '@portolan/domain';
import { decodeJws } from '@portolan/verify';
import { headerOf } from '../chain/block.js';
import type { OutcomeDetail } from '../copy/execution.js';
import type { LedgerTransaction } from '@portolan/contracts';

/** A block of our own copy as callers of the port see it. Its texts were checked when it was taken in. */
export function committedBlock(block: ExecutedBlock): CommittedBlock {
  return {
    number: block.number,
    time: headerOf(block.header).time,
    transactions: block.transactions.map((_, index) => committedTx(block, index)).filter((tx) => tx !== undefined),
  };
}

/** One transaction of a block; undefined beyond its end. */
export function committedTx(block: ExecutedBlock, index: number): CommittedTx | undefined {
  const result = (JSON.parse(block.results) as BlockResults).results[index];
  const entry = block.transactions[index];
  if (result === undefined || entry === undefined) return undefined;
  const { id, org, role, fn, args, time } = JSON.parse(decodeJws(entry.jws).payload) as LedgerTransaction;
  const { where, steps } = detailOf(block.verdicts[index]);
  return {
    id,
    org,
    role,
    fn,
    args,
    time,
    valid: result.valid,
    ...(result.code === undefined ? {} : { code: result.code }),
    ...(where === undefined ? {} : { where }),
    ...(steps === undefined ? {} : { verdicts: steps }),
    block: block.number,
    index,
  };
}

function detailOf(text: string | undefined): OutcomeDetail {
  return text === undefined || text === '' ? {} : (JSON.parse(text) as OutcomeDetail);
}

import type { Country } from '../checked-world.js';
import type { Findings } from '../violation.js';
import type { FabricReplay, PlacedCall } from './fabric-facts.js';

interface BlockRow {
  readonly number: string;
  readonly hash: string;
}
interface TxRow {
  readonly block: string;
  readonly index: number;
  readonly fabric_id: string;
  readonly id: string;
  readonly org: string;
  readonly fn: string;
  readonly args: string;
  readonly time: string;
  readonly valid: boolean;
  readonly verdicts: string;
}
interface StateRow {
  readonly key: string;
  readonly value: Buffer;
}

/** What a notary has of the channel is what its own peer has: blocks, transactions and their outcomes, state. */
export function checkIndex(country: Country, replay: FabricReplay, findings: Findings): void {
  checkBlocks(country, replay, findings);
  checkTransactions(country, replay, findings);
  checkState(country, replay, findings);
}

function checkBlocks(country: Country, { blocks }: FabricReplay, findings: Findings): void {
  const rows = new Map(country.rows<BlockRow>('notary.fabric_block').map(({ number, hash }) => [Number(number), hash]));
  for (const { number, hash } of blocks) {
    const where = `${country.code} notary.fabric_block ${number}`;
    findings.demand(rows.has(number), 4, where, 'the peer has this block, the index has not');
    if (rows.has(number)) findings.demand(rows.get(number) === hash, 4, where, 'is another block than the peer’s');
    rows.delete(number);
  }
  for (const number of rows.keys())
    findings.demand(false, 4, `${country.code} notary.fabric_block ${number}`, 'the peer has no such block');
}

function checkTransactions(country: Country, { calls }: FabricReplay, findings: Findings): void {
  const rows = new Map(country.rows<TxRow>('notary.fabric_tx').map((row) => [`${row.block}/${row.index}`, row]));
  for (const placed of calls) {
    const place = `${placed.block}/${placed.index}`;
    const row = rows.get(place);
    const where = `${country.code} notary.fabric_tx ${place}`;
    findings.demand(row !== undefined, 4, where, 'the peer has this transaction, the index has not');
    if (row !== undefined) checkRow(row, placed, where, findings);
    rows.delete(place);
  }
  for (const place of rows.keys())
    findings.demand(false, 4, `${country.code} notary.fabric_tx ${place}`, 'the peer has no such transaction');
}

function checkRow(row: TxRow, { call, counts }: PlacedCall, where: string, findings: Findings): void {
  const [fn, id, args] = call.args;
  const same = row.fabric_id === call.txId && row.id === id && row.fn === fn && row.args === args && row.org === call.creator.org;
  findings.demand(same && row.time === call.time, 4, where, 'is another transaction than the peer’s');
  findings.demand(row.valid === counts, 4, where, counts ? 'counts, and is invalid here' : 'does not count, and is valid here');
  if (!counts || fn !== 'anchor-batch') return;
  const theirs = (JSON.parse(call.answer) as { verdicts: readonly { ok: boolean }[] }).verdicts.map(({ ok }) => ok);
  findings.demand(acceptedIn(row.verdicts) === theirs.join(), 4, where, 'its steps are judged otherwise here');
}

function acceptedIn(verdicts: string): string {
  try {
    return (JSON.parse(verdicts) as readonly { accepted: boolean }[]).map(({ accepted }) => accepted).join();
  } catch {
    return 'unreadable';
  }
}

/** Configuration and endorsers' certificates stand in the index beside the state. */
const BESIDE = /^(?:channel:|endorser:)/;

function checkState(country: Country, { state }: FabricReplay, findings: Findings): void {
  const rows = country.rows<StateRow>('notary.fabric_state').filter(({ key }) => !BESIDE.test(key));
  const here = new Map(rows.map(({ key, value }) => [key, value]));
  for (const [key, value] of state) {
    const where = `${country.code} notary.fabric_state ${key}`;
    findings.demand(here.get(key)?.equals(value) === true, 4, where, 'is not what the channel’s transactions wrote');
    here.delete(key);
  }
  for (const key of here.keys()) findings.demand(false, 4, `${country.code} notary.fabric_state ${key}`, 'nobody wrote it');
}

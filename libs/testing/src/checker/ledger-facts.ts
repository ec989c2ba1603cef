import type { JsonWebKey } from 'node:crypto';
import { readJws } from './hashing.js';

export interface BlockRow {
  readonly number: string;
  readonly header: string;
  readonly results: string;
  readonly results_hash: string;
  readonly state_hash: string;
}
export interface TxRow {
  readonly block: string;
  readonly index: number;
  readonly id: string;
  readonly jws: string;
  readonly verdicts: string;
}
export interface StateRow {
  readonly key: string;
  readonly value: Buffer;
}
export interface AttestationRow {
  readonly block: string;
  readonly org: string;
  readonly digest: string;
}

/** One organisation's copy of the ledger, as its tables say. */
export interface LedgerCopyRows {
  readonly org: string;
  readonly blocks: readonly BlockRow[];
  readonly txs: readonly TxRow[];
  readonly state: readonly StateRow[];
  readonly attestations: readonly AttestationRow[];
}

/** Something that happened on the channel: block, then place in it. */
export interface At {
  readonly block: number;
  readonly index: number;
  /** Of the transaction. */
  readonly time: string;
}
export interface Transaction extends At {
  readonly id: string;
  readonly org: string;
  readonly fn: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly valid: boolean;
}
/** A transaction of the embedded ledger, which its sender signed as a JWS. */
export interface SignedTransaction extends Transaction {
  readonly jws: string;
  readonly kid: string;
}
export interface Leaf {
  readonly step: string;
  readonly transferId: string;
  readonly from: string;
  readonly to: string;
  readonly by: string;
  readonly permitId?: string;
  readonly ciphertextHash?: string;
  readonly predecessor?: string;
  readonly receiptHash?: string;
  readonly limit?: string;
  readonly graceSeconds?: number;
  /** Of a step signed in a declared emergency while the channel was away: when it happened, and the emergency. */
  readonly time?: string;
  readonly late?: string;
}
/** An accepted step. */
export interface AnchoredStep extends At {
  readonly org: string;
  readonly batch: number;
  /** Among the accepted steps of its batch. */
  readonly position: number;
  readonly text: string;
  readonly leaf: Leaf;
}
export interface ChannelPermit extends At {
  readonly id: string;
  readonly custodian: string;
  readonly recipient: string;
  readonly until: string;
  readonly end: At | undefined;
}
export interface ChannelKey {
  readonly org: string;
  readonly kid: string;
  readonly use: string;
  readonly jwk: JsonWebKey;
}
export interface ChannelHead extends At {
  readonly org: string;
  readonly seq: number;
  readonly size: number;
  readonly root: string;
  readonly batches: readonly { readonly n: number; readonly root: string; readonly count: number }[];
}

/** What a copy says happened: its blocks replayed by what their transactions say and how they were judged. */
export interface LedgerFacts {
  readonly transactions: readonly Transaction[];
  readonly steps: readonly AnchoredStep[];
  readonly permits: ReadonlyMap<string, ChannelPermit>;
  readonly heads: readonly ChannelHead[];
  readonly keys: ReadonlyMap<string, ChannelKey>;
}

/** A transaction, and which steps of its batch were accepted, by their place in it. */
export interface Judged {
  readonly transaction: Transaction;
  readonly accepted: readonly boolean[];
}

export const before = (a: At, b: At): boolean => a.block < b.block || (a.block === b.block && a.index < b.index);

/** What all transactions together say, by those that are valid. */
export function factsOf(judged: readonly Judged[]): LedgerFacts {
  const valid = judged.filter(({ transaction }) => transaction.valid);
  const acts = valid.map(({ transaction }) => transaction);
  return {
    transactions: judged.map(({ transaction }) => transaction),
    steps: valid.flatMap(stepsOf),
    permits: permitsOf(acts),
    heads: acts.filter(({ fn }) => fn === 'put-head').map((act) => ({ ...(act.args as unknown as ChannelHead), ...at(act) })),
    keys: new Map(acts.filter(({ fn }) => fn === 'put-key').map(({ args }) => [args['kid'] as string, args as unknown as ChannelKey])),
  };
}

/** Transactions of one copy of the embedded ledger. */
export function signedTransactions(copy: LedgerCopyRows): readonly SignedTransaction[] {
  const results = new Map(
    copy.blocks.map(({ number, results: text }) => [number, (JSON.parse(text) as { results: readonly { valid: boolean }[] }).results]),
  );
  return copy.txs.map((row) => transactionOf(row, results.get(row.block)?.[row.index]?.valid === true));
}

/** What one copy of the embedded ledger says happened. */
export function readFacts(copy: LedgerCopyRows): LedgerFacts {
  const verdicts = copy.txs.map(({ verdicts: text }) => text);
  return factsOf(
    signedTransactions(copy).map((transaction, place) => ({
      transaction,
      accepted: transaction.valid && transaction.fn === 'anchor-batch' ? acceptedIn(verdicts[place] ?? '{}') : [],
    })),
  );
}

const acceptedIn = (verdicts: string): boolean[] =>
  ((JSON.parse(verdicts) as { steps?: readonly { accepted: boolean }[] }).steps ?? []).map(({ accepted }) => accepted);

function transactionOf(row: TxRow, valid: boolean): SignedTransaction {
  const { header, payload } = readJws<Omit<Transaction, 'valid' | 'block' | 'index'>>(row.jws);
  return { ...payload, block: Number(row.block), index: row.index, valid, jws: row.jws, kid: header.kid };
}

const at = ({ block, index, time }: At): At => ({ block, index, time });

function stepsOf({ transaction, accepted }: Judged): AnchoredStep[] {
  if (transaction.fn !== 'anchor-batch') return [];
  const sent = transaction.args['steps'] as readonly { leaf: string }[];
  return sent
    .filter((_step, index) => accepted[index] === true)
    .map(({ leaf: text }, position) => ({
      ...at(transaction),
      org: transaction.org,
      batch: transaction.args['n'] as number,
      position,
      text,
      leaf: JSON.parse(text) as Leaf,
    }));
}

type PermitArgs = Omit<ChannelPermit, 'end' | keyof At>;

/** A permit comes by itself, or with others in one act. */
function permitArgsOf({ fn, args }: Transaction): readonly PermitArgs[] {
  if (fn === 'put-permit') return [args as unknown as PermitArgs];
  return fn === 'put-permits' ? (args['permits'] as readonly PermitArgs[]) : [];
}

function permitsOf(acts: readonly Transaction[]): Map<string, ChannelPermit> {
  const ends = new Map(acts.filter(({ fn }) => fn === 'end-permit').map((act) => [`${act.org}/${String(act.args['permitId'])}`, at(act)]));
  const permits = acts.flatMap((act) =>
    permitArgsOf(act).map((args): ChannelPermit => ({ ...args, ...at(act), end: ends.get(`${act.org}/${args.id}`) })),
  );
  return new Map(permits.map((permit) => [permit.id, permit]));
}

import type { AnchoredBatch, BatchRecord, HeadRecord, PutHeadArgs } from '@portolan/contracts';
import { merkleRoot, verifyConsistency } from '@portolan/verify';
import { recordRule, type Look } from '../record-rule.js';
import { refusal, type Refusal } from '../rule.js';
import { names, type RecordName } from '../state.js';

/** Longest JSON text of a head, in characters. */
export const headChars = 200_000;

/**
 * A country's next head: its log only grows, which the consistency proof shows, and the batch roots it repeats are those that
 * each copy reads from its own committed state. So a committed head proves a batch to whoever holds its endorsements.
 */
export const putHead = recordRule<PutHeadArgs>({
  name: 'put-head',
  schema: 'put-head-args',
  role: 'notary',
  maxChars: headChars,
  owner: ({ org }) => org,
  target: ({ org, seq }) => names.head(org, seq),
  restsOn: (args) => [...previousOf(args), ...args.batches.map(({ n }) => names.batch(args.org, n))],
  check: (args, look) => logMistake(args, look) ?? batchesMistake(args, look),
  record: ({ v, org, seq, size, root, batches }, look): HeadRecord => {
    const nextBatch = previousHead({ org, seq }, look).nextBatch + batches.length;
    return { v, org, seq, size, root, batches, nextBatch };
  },
});

type Place = Pick<PutHeadArgs, 'org' | 'seq'>;

const previousOf = ({ org, seq }: Place): RecordName[] => (seq === 0 ? [] : [names.head(org, seq - 1)]);

/** Before its first head a log is empty and no batch has been repeated. */
function previousHead(place: Place, look: Look): Pick<HeadRecord, 'size' | 'root' | 'nextBatch'> {
  const [name] = previousOf(place);
  const before = name === undefined ? undefined : look.entry<HeadRecord>(name)?.record;
  return before ?? { size: 0, root: merkleRoot([], look.sha256), nextBatch: 0 };
}

function logMistake(args: PutHeadArgs, look: Look): Refusal | undefined {
  if (previousOf(args).some((name) => !look.has(name))) return refusal('ledger.head-out-of-order', 'put-head seq');
  const before = previousHead(args, look);
  if (args.size < before.size) return refusal('ledger.head-shrinks', 'put-head size');
  const claim = { oldSize: before.size, oldRoot: before.root, newSize: args.size, newRoot: args.root, path: args.consistency };
  if (!verifyConsistency(claim, look.sha256)) return refusal('ledger.head-inconsistent', 'put-head consistency');
  return args.size === before.size && args.batches.length === 0 ? refusal('ledger.head-idle', 'put-head') : undefined;
}

function batchesMistake(args: PutHeadArgs, look: Look): Refusal | undefined {
  const { nextBatch } = previousHead(args, look);
  if (args.batches.some(({ n }, i) => n !== nextBatch + i)) return refusal('ledger.head-batch-order', 'put-head batches');
  const wrong = args.batches.map((batch) => batchMistake(args.org, batch, look)).find((code) => code !== undefined);
  return wrong === undefined ? undefined : refusal(wrong, 'put-head batches');
}

function batchMistake(org: string, batch: AnchoredBatch, look: Look): 'ledger.batch-not-visible' | 'ledger.head-batch-differs' | undefined {
  const committed = look.entry<BatchRecord>(names.batch(org, batch.n))?.record;
  if (committed === undefined) return 'ledger.batch-not-visible';
  return committed.root === batch.root && committed.count === batch.count ? undefined : 'ledger.head-batch-differs';
}

import type { AnchorBatchArgs, BatchRecord, BatchStep, CommittedPredecessor, ErrorCode, StepLeaf } from '@portolan/contracts';
import { leafHash, merkleRoot, utf8, verifyInclusion } from '@portolan/verify';
import { lookAt, type Look } from '../record-rule.js';
import { refusal, type Caller, type Decision, type Refusal, type Rule, type StepVerdict } from '../rule.js';
import { findRecord, keysOf, names, recordWrites, type RecordName } from '../state.js';
import { followUpRecords, judgeFollowUp, type Standing } from './judge-follow-up.js';
import { judgeRelease, releaseRecords } from './judge-release.js';
import { readLeaf, type FollowUp } from './step-leaf.js';

/** Longest JSON text of a batch, in characters. */
export const batchChars = 2_800_000;

/**
 * A country's next batch of steps. Each is judged on its own, in order, and sees the accepted ones before it; the batch
 * writes one value, the Merkle root over the texts of the accepted steps, once under its number.
 */
export const anchorBatch: Rule<AnchorBatchArgs> = {
  name: 'anchor-batch',
  schema: 'anchor-batch-args',
  role: 'notary',
  maxChars: batchChars,
  reads: (args, caller, validators) => [
    ...[...previousOf(args, caller), names.batch(caller.org, args.n)].flatMap(keysOf),
    ...args.steps.flatMap((step) => stepRecords(step, readLeaf(step.leaf, validators)).flatMap(keysOf)),
  ],
  decide: (args, scene) => {
    const look = lookAt(scene);
    const wrong = orderMistake(args, look) ?? hiddenPredecessors(args, look);
    return wrong ?? settle(args, judgeAll(args.steps, look), look);
  },
};

const previousOf = ({ n }: AnchorBatchArgs, { org }: Caller): RecordName[] => (n === 0 ? [] : [names.batch(org, n - 1)]);

function stepRecords(step: BatchStep, leaf: StepLeaf | undefined): RecordName[] {
  if (leaf === undefined) return [];
  if (leaf.step === 'released') return releaseRecords(leaf);
  const proof = committedPredecessor(step, leaf);
  return [...followUpRecords(leaf), ...(proof === undefined ? [] : [names.batch(proof.org, proof.n)])];
}

/** The proof of a committed predecessor, where it is in a batch of one of the two parties. */
function committedPredecessor({ after }: BatchStep, leaf: StepLeaf): CommittedPredecessor | undefined {
  if (after === undefined || !('org' in after)) return undefined;
  return after.org === leaf.from || after.org === leaf.to ? after : undefined;
}

/** Numbers have no gap, and a country's batches are dated in their order. */
function orderMistake(args: AnchorBatchArgs, look: Look): Refusal | undefined {
  const [name] = previousOf(args, look.caller);
  if (name === undefined) return undefined;
  const wrong = look.forged([name], 'anchor-batch');
  if (wrong !== undefined) return wrong;
  const previous = look.entry<BatchRecord>(name);
  if (previous === undefined) return refusal('ledger.batch-out-of-order', 'anchor-batch n');
  return look.time < previous.at ? refusal('ledger.batch-backdated', 'anchor-batch time') : undefined;
}

/**
 * A predecessor whose batch is not committed on this copy yet is no verdict: the whole batch is refused, so that its number
 * stays free, and names the steps to hold back.
 */
function hiddenPredecessors({ steps }: AnchorBatchArgs, look: Look): Refusal | undefined {
  const hidden = steps.flatMap((step, index) => {
    const leaf = readLeaf(step.leaf, look.validators);
    const proof = leaf === undefined || leaf.step === 'released' ? undefined : committedPredecessor(step, leaf);
    if (proof === undefined) return [];
    return findRecord(names.batch(proof.org, proof.n), look.values, look.sha256).is === 'absent' ? [index] : [];
  });
  return hidden.length === 0 ? undefined : refusal('ledger.predecessor-not-visible', `steps/${hidden.join(',')}`);
}

/** The steps of a batch so far: what stands, by its index as sent, and what may not stand twice. */
interface Progress {
  readonly look: Look;
  readonly standing: Map<number, Standing>;
  readonly taken: Set<string>;
}

function judgeAll(steps: readonly BatchStep[], look: Look): StepVerdict[] {
  const progress: Progress = { look, standing: new Map(), taken: new Set() };
  return steps.map((step, index) => {
    const leaf = readLeaf(step.leaf, look.validators);
    const code = leaf === undefined ? 'ledger.leaf-malformed' : judge(step, leaf, index, progress);
    if (leaf === undefined || code !== undefined) return { index, ok: false, code: code ?? 'ledger.leaf-malformed' };
    progress.standing.set(index, { text: step.leaf, leaf, at: look.time });
    progress.taken.add(onceKey(leaf, step.leaf));
    return { index, ok: true, position: progress.standing.size - 1 };
  });
}

function judge(step: BatchStep, leaf: StepLeaf, index: number, progress: Progress): ErrorCode | undefined {
  const { look, taken } = progress;
  if (!isPartyOf(leaf, look.caller)) return 'ledger.step-not-party';
  if (taken.has(onceKey(leaf, step.leaf))) return 'ledger.step-duplicate';
  const forged = look.forged(stepRecords(step, leaf), 'anchor-batch');
  if (forged !== undefined) return forged.code;
  if (leaf.step === 'released') return judgeRelease(leaf, look);
  const predecessor = predecessorOf(step, leaf, index, progress);
  return typeof predecessor === 'string' ? predecessor : judgeFollowUp(leaf, predecessor, look);
}

/** A release is the custodian's word, expired either side's, everything else the receiver's. */
function isPartyOf(leaf: StepLeaf, { org }: Caller): boolean {
  if (leaf.by !== org) return false;
  if (leaf.step === 'released') return org === leaf.from;
  return org === leaf.to || (leaf.step === 'expired' && org === leaf.from);
}

/** What one batch takes once: a release a transfer, one close a release, one text an adoption. */
function onceKey(leaf: StepLeaf, text: string): string {
  if (leaf.step === 'released') return `released ${leaf.transferId}`;
  return leaf.step === 'adopted' ? text : `closed ${leaf.predecessor}`;
}

function predecessorOf(step: BatchStep, leaf: FollowUp, index: number, { look, standing }: Progress): Standing | ErrorCode {
  const { after } = step;
  if (after === undefined) return 'ledger.predecessor-missing';
  if ('step' in after)
    return after.step < index ? (standing.get(after.step) ?? 'ledger.predecessor-refused') : 'ledger.predecessor-missing';
  const proof = committedPredecessor(step, leaf);
  return proof === undefined ? 'ledger.predecessor-mismatch' : proven(proof, look);
}

function proven(proof: CommittedPredecessor, look: Look): Standing | ErrorCode {
  const batch = look.entry<BatchRecord>(names.batch(proof.org, proof.n));
  const leaf = readLeaf(proof.leaf, look.validators);
  if (batch === undefined || leaf === undefined) return 'ledger.predecessor-unproven';
  const { root, count: size } = batch.record;
  const claim = { leafHash: leafHash(utf8(proof.leaf), look.sha256), index: proof.index, size, path: proof.path, root };
  return verifyInclusion(claim, look.sha256) ? { text: proof.leaf, leaf, at: batch.at } : 'ledger.predecessor-unproven';
}

function settle({ n, steps }: AnchorBatchArgs, verdicts: readonly StepVerdict[], { caller, time, sha256 }: Look): Decision {
  const accepted = steps.filter((_, index) => verdicts[index]?.ok === true);
  const leaves = accepted.map(({ leaf }) => leafHash(utf8(leaf), sha256));
  const record: BatchRecord = { v: 1, org: caller.org, n, root: merkleRoot(leaves, sha256), count: leaves.length };
  return { ok: true, writes: recordWrites(names.batch(caller.org, n), record, time), verdicts };
}

import {
  canonicalJson,
  type AnchorBatchArgs,
  type BlockResults,
  type ErrorCode,
  type Instant,
  type TransactionResult,
} from '@portolan/contracts';
import type { ExecutedBlock, LedgerCopyStore, StateWrite, StepVerdict } from '@portolan/domain';
import { keyText, refusal, signerOf, signerReads, type Decision, type Prepared, type Refusal, type Values } from '@portolan/ledger-rules';
import { sha256Hex, utf8, verifyJws } from '@portolan/verify';
import type { CheckedBlock } from '../chain/block.js';
import type { Genesis } from '../chain/genesis.js';
import type { OpenedTransaction } from '../chain/transaction.js';
import type { ChainTools } from '../chain/tools.js';
import { foundingWrites, prepareAct } from './admission.js';
import { WorkingState } from './working-state.js';

/** What is known of an outcome beside its result: where a refusal lies, what became of a batch's steps. */
export interface OutcomeDetail {
  readonly where?: string;
  readonly steps?: readonly StepVerdict[];
}

export interface Execution {
  readonly block: ExecutedBlock;
  readonly writes: readonly StateWrite[];
}

/** `previous`: the state hash after the block before; of none, before block 0. */
export const noState = '0'.repeat(64);

/**
 * Executes a block in the order of its transactions. Each sees what those before it wrote, never its own writes, and takes
 * effect as a whole or not at all. Deterministic: every copy comes to the same results and the same state hash.
 */
export async function executeBlock(
  block: CheckedBlock,
  previous: string,
  store: LedgerCopyStore,
  genesis: Genesis,
  tools: ChainTools,
): Promise<Execution> {
  const candidates = block.transactions.map((opened) => ({ opened, prepared: preparedOf(opened, genesis, tools) }));
  const state = await WorkingState.load(store, candidates.flatMap(keysToRead), tools.sha256);
  if (block.tip.number === 0) state.apply(foundingWrites(genesis, tools));
  const results: TransactionResult[] = [];
  const verdicts: string[] = [];
  for (const { opened, prepared } of candidates) {
    const decision = await decide(opened, prepared, { time: block.tip.time, windowMs: genesis.clockWindowMs }, state, tools);
    if (decision.ok) state.apply(decision.writes);
    state.put(idKey(opened), utf8(`${block.tip.number}`));
    results.push({ txId: opened.payload.id, valid: decision.ok, ...(decision.ok ? {} : { code: decision.code }) });
    verdicts.push(detailText(opened, decision));
  }
  const text = canonicalJson({ v: 1, number: block.tip.number, results } satisfies BlockResults);
  const outcome = { results: text, resultsHash: sha256Hex(text, tools.sha256), stateHash: state.hash(previous), verdicts };
  return { block: { ...block.signed, ...outcome }, writes: state.writes() };
}

/** What must hold before the act itself is looked at: the id is new, the time is near the block's, a live registered key signed. */
async function decide(
  opened: OpenedTransaction,
  prepared: Prepared | Refusal,
  block: { readonly time: Instant; readonly windowMs: number },
  state: WorkingState,
  tools: ChainTools,
): Promise<Decision> {
  if (state.get(idKey(opened)) !== undefined) return refusal('orderer.transaction-duplicate', 'id');
  if (!withinWindow(opened.payload.time, block.time, block.windowMs)) return refusal('orderer.time-window', 'time');
  const unsigned = await signatureMistake(opened, state.values(signerReads(opened.payload.org, opened.kid)), tools);
  if (unsigned !== undefined) return unsigned;
  return prepared.ok ? prepared.decide(state.values(prepared.reads)) : prepared;
}

/** Whether a live key, registered for the role that the transaction claims, signed it; the refusal otherwise. `values`: of `signerReads`. */
export async function signatureMistake(
  { jws, kid, payload }: OpenedTransaction,
  values: Values,
  { sha256, subtle }: ChainTools,
): Promise<Refusal | undefined> {
  const { org, role, time } = payload;
  const signer = signerOf({ org, role, kid, time }, { values, sha256 });
  if (!signer.ok) return signer;
  try {
    await verifyJws(jws, signer.jwk, subtle, 'transaction');
    return undefined;
  } catch {
    return refusal('verify.signature-invalid', 'transaction');
  }
}

/** Whether two instants are near enough for a transaction to stand in the block. */
export function withinWindow(time: Instant, blockTime: Instant, windowMs: number): boolean {
  return Math.abs(Date.parse(time) - Date.parse(blockTime)) <= windowMs;
}

function preparedOf({ payload }: OpenedTransaction, genesis: Genesis, tools: ChainTools): Prepared | Refusal {
  const { fn, args, org, role, time } = payload;
  return prepareAct({ fn, args, caller: { org, role }, time }, genesis, tools);
}

function keysToRead({ opened, prepared }: { opened: OpenedTransaction; prepared: Prepared | Refusal }): string[] {
  const asked = [...signerReads(opened.payload.org, opened.kid), ...(prepared.ok ? prepared.reads : [])];
  return [idKey(opened), ...asked.map(keyText)];
}

const idKey = ({ payload }: OpenedTransaction): string => `tx:${payload.id}`;

function detailText({ payload }: OpenedTransaction, decision: Decision): string {
  if (!decision.ok) return canonicalJson({ where: decision.where } satisfies OutcomeDetail);
  if (decision.verdicts === undefined) return '';
  const { steps } = payload.args as unknown as AnchorBatchArgs;
  const named = decision.verdicts.map((verdict): StepVerdict => {
    const { transferId, step } = stepNames(steps[verdict.index]?.leaf);
    return verdict.ok
      ? { transferId, step, accepted: true, position: verdict.position }
      : { transferId, step, accepted: false, code: verdict.code satisfies ErrorCode };
  });
  return canonicalJson({ steps: named } satisfies OutcomeDetail);
}

/** Which step a leaf text speaks of; a malformed leaf names none. */
function stepNames(leaf: string | undefined): { transferId: string; step: string } {
  try {
    const { transferId, step } = JSON.parse(leaf ?? '') as Record<string, unknown>;
    return { transferId: textOr(transferId), step: textOr(step) };
  } catch {
    return { transferId: '', step: '' };
  }
}

const textOr = (value: unknown): string => (typeof value === 'string' ? value : '');

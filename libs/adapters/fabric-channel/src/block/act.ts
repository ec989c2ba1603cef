import type { AnchorBatchArgs, BatchRecord, ErrorCode, Instant } from '@portolan/contracts';
import type { IndexedTx, StepVerdict } from '@portolan/domain';
import { contentKey, foundingFn, keysOf, names, rules, type StepVerdict as RuleVerdict } from '@portolan/ledger-rules';
import { leafHash, merkleRoot, utf8 } from '@portolan/verify';
import { createHash } from 'node:crypto';
import type { ChaincodeCall, RawWrite } from './envelope.js';

/** Names of the channel's contract by which a peer keeps an owner's word; the chaincode (apps/contract) writes them. */
export const collectionOf = (org: string): string => `_implicit_org_${org}`;
export const markerKey = (id: string): string => `tx/${id}`;

export const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
export const sha256Of = (text: string): string => sha256(Buffer.from(text)).toString('hex');

/** What is known of a transaction beside what it says. */
export interface Standing {
  readonly index: number;
  /** Registry code of what Fabric found invalid. */
  readonly code: ErrorCode | undefined;
  readonly bytes: Uint8Array;
}

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/u;
const lastMillis = 253_402_300_799_999;
export const orgPattern = /^[A-Z][A-Z0-9]{1,7}$/u;

/**
 * An act as the index keeps it; undefined for what is none (queries, calls of another form, which no contract of ours lets through).
 * Fabric's word `valid` means that enough peers endorsed. An act counts only if, beside, all that it wrote is its caller's own word:
 * the marker of its id and every public entry stand in the caller's own collection, and a batch's verdicts lead to the root that it wrote.
 */
export function actOf(call: ChaincodeCall, standing: Standing): IndexedTx | undefined {
  const said = saidIn(call);
  if (said === undefined) return undefined;
  const { fn, id, args } = said;
  const verdicts = fn === 'anchor-batch' ? verdictsIn(call.answer) : undefined;
  const code = standing.code ?? (speaksForItself(call, id, args, verdicts) ? undefined : 'ledger.record-forged');
  const [, , text = ''] = call.texts;
  const act = {
    index: standing.index,
    fabricId: call.txId,
    id,
    org: call.org,
    role: said.role,
    fn,
    args: text,
    time: instantOf(call.millis),
  };
  if (code !== undefined) return { ...act, valid: false, code, verdicts: '' };
  return {
    ...act,
    valid: true,
    verdicts: verdicts === undefined ? '' : JSON.stringify(named(verdicts, args as AnchorBatchArgs)),
    ...(fn === 'put-head' ? { envelope: standing.bytes } : {}),
  };
}

interface Said {
  readonly fn: string;
  readonly id: string;
  readonly args: object;
  readonly role: IndexedTx['role'];
}

function roleOf(fn: string): IndexedTx['role'] | undefined {
  if (fn === foundingFn) return 'governance';
  return Object.hasOwn(rules, fn) ? rules[fn]?.role : undefined;
}

function saidIn({ org, texts: [fn = '', id = '', text = ''] }: ChaincodeCall): Said | undefined {
  const role = roleOf(fn);
  if (role === undefined || !uuidPattern.test(id) || !orgPattern.test(org)) return undefined;
  const args = parsedArgs(text);
  return args === undefined ? undefined : { fn, id, args, role };
}

/** Altered chaincode may date a transaction anywhen; what cannot be written as an instant is the end of time. */
export const instantOf = (millis: number): Instant => new Date(millis >= 0 && millis <= lastMillis ? millis : lastMillis).toISOString();

/** No text with U+0000 is JSON, so nothing that is kept holds one. */
function parsedArgs(text: string): object | undefined {
  try {
    const args: unknown = JSON.parse(text);
    return typeof args === 'object' && args !== null ? args : undefined;
  } catch {
    return undefined;
  }
}

/** Whatever altered chaincode left there is no reason to stop reading blocks. */
function speaksForItself(...given: Parameters<typeof isOwnWord>): boolean {
  try {
    return isOwnWord(...given);
  } catch {
    return false;
  }
}

function isOwnWord(call: ChaincodeCall, id: string, args: unknown, verdicts: readonly RuleVerdict[] | undefined): boolean {
  const own = new Map<string, string>();
  for (const write of call.writes) {
    if (!('collection' in write)) continue;
    if (write.collection !== collectionOf(call.org)) return false;
    own.set(write.keyHash, write.valueHash);
  }
  if (!own.has(sha256Of(markerKey(id)))) return false;
  const entries = call.writes.filter((write) => 'key' in write);
  const spoken = entries.every((write) => {
    const hash = sha256(write.value).toString('hex');
    return own.get(ownKeyHash(call.org, write.key, hash)) === hash;
  });
  return spoken && entries.length > 0 && (verdicts === undefined || leadToRoot(call, args as AnchorBatchArgs, verdicts));
}

/** Hash of the key under which the caller's collection holds the same bytes; of nothing where the public key is not the caller's and of these bytes. */
function ownKeyHash(org: string, key: string, valueHash: string): string {
  const [start, end] = [`${org}/`, contentKey('', valueHash)];
  return key.startsWith(start) && key.endsWith(end) ? sha256Of(key.slice(start.length, -end.length)) : '';
}

function leadToRoot({ org, writes }: ChaincodeCall, { n, steps }: AnchorBatchArgs, verdicts: readonly RuleVerdict[]): boolean {
  const [open] = keysOf(names.batch(org, n));
  const entry = writes.find(
    (write): write is RawWrite & { value: Uint8Array } => 'key' in write && write.key.startsWith(contentKey(open.key, '')),
  );
  if (entry === undefined || verdicts.length !== steps.length) return false;
  const { record } = JSON.parse(Buffer.from(entry.value).toString('utf8')) as { record: BatchRecord };
  const accepted = steps.filter((_, index) => verdicts[index]?.ok === true).map(({ leaf }) => leafHash(utf8(leaf), sha256));
  return record.root === merkleRoot(accepted, sha256) && record.count === accepted.length;
}

/** The answer of a batch that stands was written by the contract. */
function verdictsIn(answer: string): readonly RuleVerdict[] {
  try {
    const { verdicts } = JSON.parse(answer) as { verdicts?: unknown };
    return Array.isArray(verdicts) ? (verdicts as RuleVerdict[]) : [];
  } catch {
    return [];
  }
}

function named(verdicts: readonly RuleVerdict[], { steps }: AnchorBatchArgs): StepVerdict[] {
  return verdicts.map((verdict, index) => {
    const { transferId, step } = stepNames(steps[index]?.leaf);
    return verdict.ok
      ? { transferId, step, accepted: true, position: verdict.position }
      : { transferId, step, accepted: false, code: verdict.code };
  });
}

/** Which step a leaf text speaks of; a malformed leaf names none. */
function stepNames(leaf: string | undefined): { transferId: string; step: string } {
  const { transferId, step } = (parsedArgs(leaf ?? '') ?? {}) as Record<string, unknown>;
  return { transferId: typeof transferId === 'string' ? transferId : '', step: typeof step === 'string' ? step : '' };
}

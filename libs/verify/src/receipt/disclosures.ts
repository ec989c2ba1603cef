import type { CounterReceipt, EmbeddedReceipt, StepLeaf, TrustFile } from '@portolan/contracts';
import { bytesOfBase64url } from '../bytes/base64url.js';
import { sha256Hex, utf8 } from '../bytes/bytes.js';
import { commit } from '../bytes/commitment.js';
import { decodeJws, jwsHash, payloadOf, verifyJws } from '../jws/jws.js';
import { sealedRoot } from '../merkle/tree.js';
import { leafOf } from './leaf.js';
import { demand, type VerifyDeps } from './report.js';
import { trustedKey } from './trust.js';

/** What a receipt of any ledger may disclose beside its proof. */
export type Disclosures = Pick<EmbeddedReceipt, 'leaf' | 'sealed' | 'disclosed' | 'counterReceipt'>;

/** The sealed parts are those that the release names. */
export function checkCiphertext({ leaf, sealed }: Disclosures, _: TrustFile, deps: VerifyDeps): string | undefined {
  if (sealed === undefined) return undefined;
  const step = leafOf(leaf, deps.validators);
  demand(step.step === 'released', 'only a release names sealed parts');
  demand(step.ciphertextHash === sealedRoot(sealed, deps.sha256), 'the sealed parts are not those of the release');
  return `${sealed.length} sealed parts`;
}

/** The disclosed plaintext is what the step committed to. */
export function checkOpening({ leaf, disclosed }: Disclosures, _: TrustFile, deps: VerifyDeps): string | undefined {
  if (disclosed === undefined) return undefined;
  const step = leafOf(leaf, deps.validators);
  demand('commitment' in step, 'this step commits to nothing');
  const salt = bytesOfBase64url(disclosed.salt);
  demand(commit(salt, utf8(disclosed.plaintext), deps.sha256) === step.commitment, 'salt and plaintext do not open the commitment');
  return 'the disclosed plaintext is the committed one';
}

/** The receiver's answer is signed under its pinned key and is about this very transfer. */
export async function checkCounterReceipt(receipt: Disclosures, trust: TrustFile, deps: VerifyDeps): Promise<string | undefined> {
  const compact = receipt.counterReceipt;
  if (compact === undefined) return undefined;
  const jws = decodeJws(compact);
  const answer = payloadOf(jws, 'counter-receipt', deps.validators);
  demand(answer.channel === trust.channel, 'the counter-receipt is of another channel');
  demandBinding(answer, compact, receipt, deps);
  await verifyJws(compact, trustedKey(trust, answer.to, jws.header.kid, 'sign', answer.time), deps.subtle, 'counter-receipt');
  return `${answer.outcome} by ${answer.to}`;
}

function demandBinding(answer: CounterReceipt, compact: string, { leaf }: Disclosures, deps: VerifyDeps): void {
  const step = leafOf(leaf, deps.validators);
  const same = answer.transferId === step.transferId && answer.from === step.from && answer.to === step.to;
  demand(same, 'the counter-receipt is about another transfer');
  if (step.step === 'released') {
    demand(answer.predecessor === sha256Hex(leaf, deps.sha256), 'the counter-receipt names another release');
    demand(answer.ciphertextHash === step.ciphertextHash, 'the counter-receipt names another ciphertext');
  } else demandClosing(answer, compact, step, deps);
}

function demandClosing(answer: CounterReceipt, compact: string, step: StepLeaf, deps: VerifyDeps): void {
  demand(step.step === 'received' || step.step === 'refused', 'this step has no counter-receipt');
  demand(step.receiptHash === jwsHash(compact, deps.sha256), 'the step names another counter-receipt');
  demand(answer.predecessor === step.predecessor && answer.outcome === step.step, 'the counter-receipt does not say what the step says');
}

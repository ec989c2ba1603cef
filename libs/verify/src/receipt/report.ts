import { PortolanError, type StepLeaf, type TrustFile, type Validators } from '@portolan/contracts';
import type { Sha256 } from '../bytes/bytes.js';
import type { SubtleVerifier } from '../jws/jws.js';

/** What the verifier looks at, each ledger its own ones, in their order; the name of a failed one is what its user is told. */
export const receiptSteps = [
  'form',
  'schema',
  'trust',
  'leaf',
  'leaf-in-batch',
  'envelope',
  'batch-in-head',
  'head-signature',
  'head-in-block',
  'header-signature',
  'head-valid',
  'attestations',
  'proposal',
  'write-set',
  'endorsements',
  'ciphertext-hash',
  'commitment-opening',
  'counter-receipt',
] as const;

export type ReceiptStep = (typeof receiptSteps)[number];

export interface StepReport {
  readonly step: ReceiptStep;
  readonly ok: boolean;
  /** One plain sentence; names ids, countries and numbers, never content. */
  readonly detail: string;
}

/** Ends with the first step that failed; `ok` where none did. */
export interface ReceiptReport {
  readonly ok: boolean;
  readonly steps: readonly StepReport[];
  /** What was proved, where `ok`. */
  readonly leaf?: StepLeaf;
}

export interface VerifyDeps {
  readonly sha256: Sha256;
  readonly subtle: SubtleVerifier;
  readonly validators: Validators;
}

/** One step: answers with what it saw, throws a Mismatch (or a PortolanError of a parser) where it does not hold. */
export interface ReceiptCheck<R, T extends TrustFile = TrustFile> {
  readonly step: ReceiptStep;
  run(receipt: R, trust: T, deps: VerifyDeps): string | undefined | Promise<string | undefined>;
}

/** A step that does not hold, and why. */
export class Mismatch extends Error {}

/** Throws a Mismatch unless `holds`. */
export function demand(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Mismatch(otherwise);
}

/** Runs checks in order up to the first that fails. A check that answers undefined had nothing to look at. */
export async function runChecks<R, T extends TrustFile>(
  checks: readonly ReceiptCheck<R, T>[],
  receipt: R,
  trust: T,
  deps: VerifyDeps,
): Promise<StepReport[]> {
  const reports: StepReport[] = [];
  for (const check of checks) {
    const report = await runCheck(check, receipt, trust, deps);
    if (report !== undefined) reports.push(report);
    if (report?.ok === false) break;
  }
  return reports;
}

async function runCheck<R, T extends TrustFile>(
  check: ReceiptCheck<R, T>,
  receipt: R,
  trust: T,
  deps: VerifyDeps,
): Promise<StepReport | undefined> {
  try {
    const detail = await check.run(receipt, trust, deps);
    return detail === undefined ? undefined : { step: check.step, ok: true, detail };
  } catch (error) {
    if (error instanceof Mismatch) return { step: check.step, ok: false, detail: error.message };
    if (error instanceof PortolanError) return { step: check.step, ok: false, detail: `${error.code} at ${error.where}` };
    throw error;
  }
}

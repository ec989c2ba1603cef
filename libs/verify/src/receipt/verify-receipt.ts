import { type Receipt, type TrustFile } from '@portolan/contracts';
import { parseCanonical } from '../jws/jws.js';
import { embeddedChecks } from './embedded-receipt.js';
import { fabricChecks } from './fabric-receipt.js';
import { leafOf } from './leaf.js';
import { runChecks, type ReceiptReport, type StepReport, type VerifyDeps } from './report.js';

/** Longest receipt text, in characters. */
export const receiptChars = 12_000_000;

/**
 * Verifies a receipt with nothing but pinned trust: no network, no node. `receipt` is the exact text of a receipt file
 * (canonical JSON, so that each byte of it counts) or a parsed one. The report ends with the first step that failed.
 * Never throws for anything that stands in the receipt.
 */
export async function verifyReceipt(receipt: unknown, trust: TrustFile, deps: VerifyDeps): Promise<ReceiptReport> {
  const opening = await runChecks(
    [
      { step: 'form', run: checkForm },
      { step: 'schema', run: checkSchema },
    ],
    receipt,
    trust,
    deps,
  );
  if (failed(opening)) return { ok: false, steps: opening };
  const value = (typeof receipt === 'string' ? JSON.parse(receipt) : receipt) as Receipt;
  const steps = [...opening, ...(await runChain(value, trust, deps))];
  return failed(steps) ? { ok: false, steps } : { ok: true, steps, leaf: leafOf(value.leaf, deps.validators) };
}

/** The chain of each ledger's receipts; a ledger more is a line more. */
function runChain(receipt: Receipt, trust: TrustFile, deps: VerifyDeps): Promise<StepReport[]> {
  if (receipt.ledger === 'embedded' && trust.ledger === 'embedded') return runChecks(embeddedChecks, receipt, trust, deps);
  if (receipt.ledger === 'fabric' && trust.ledger === 'fabric') return runChecks(fabricChecks, receipt, trust, deps);
  const detail = `the receipt is of the ${receipt.ledger} ledger, what is pinned of the ${trust.ledger} one`;
  return Promise.resolve([{ step: 'trust', ok: false, detail }]);
}

const failed = (steps: readonly StepReport[]): boolean => steps.some(({ ok }) => !ok);

function checkForm(receipt: unknown): string | undefined {
  if (typeof receipt !== 'string') return undefined;
  parseCanonical(receipt, receiptChars, 'receipt');
  return 'canonical JSON';
}

function checkSchema(receipt: unknown, _: TrustFile, { validators }: VerifyDeps): string {
  const value: unknown = typeof receipt === 'string' ? JSON.parse(receipt) : receipt;
  const { ledger } = validators.check<Receipt>('receipt', value, 'verify.payload-malformed', 'receipt');
  return `receipt of the ${ledger} ledger`;
}

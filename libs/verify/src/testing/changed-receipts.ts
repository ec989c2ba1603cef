import { canonicalJson, type FabricReceipt, type TrustFile } from '@portolan/contracts';
import { expect } from 'vitest';
import { base64 } from '../bytes/base64.js';
import { receiptSteps } from '../receipt/report.js';
import type { VerifyDeps } from '../receipt/report.js';
import { verifyReceipt } from '../receipt/verify-receipt.js';

/** A changed receipt is refused, and the step that refused it is named last: that step. */
export async function refusedAt(text: string, trust: TrustFile, deps: VerifyDeps): Promise<string> {
  const { ok, steps } = await verifyReceipt(text, trust, deps);
  expect(ok, 'a changed receipt was believed').toBe(false);
  const last = steps.at(-1);
  expect(last?.ok).toBe(false);
  expect(receiptSteps).toContain(last?.step);
  return last?.step ?? '';
}

/** The receipt with another envelope in it. */
export const carrying = (receipt: FabricReceipt, envelope: Uint8Array): string =>
  canonicalJson({ ...receipt, head: { envelope: base64(envelope) } });

/** The bytes with the bits of `mask` turned over at one place. */
export const flipped = (bytes: Uint8Array, at: number, mask: number): Uint8Array =>
  Uint8Array.from(bytes, (byte, i) => (i === at ? byte ^ mask : byte));

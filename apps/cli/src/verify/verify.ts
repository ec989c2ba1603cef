import { createHash, webcrypto } from 'node:crypto';
import { resolve } from 'node:path';
import { Validators, type TrustFile } from '@portolan/contracts';
import { receiptChars, verifyReceipt, type ReceiptReport, type VerifyDeps } from '@portolan/verify';
import { exactText, readBytes } from '../files/read-file.js';
import { exits, type Exit, type Terminal } from '../terminal.js';
import { findTrust } from './find-trust.js';

/** A character of a receipt is one byte, or at most four. */
const MAX_RECEIPT_BYTES = 4 * receiptChars;

/** `portolan verify`: reads two files and nothing else. */
export async function verifyFile(receipt: string, flags: { trust?: string; json: boolean }, terminal: Terminal): Promise<Exit> {
  const validators = new Validators();
  const { file, trust } = await findTrust(flags.trust, terminal, validators);
  const bytes = await readBytes(resolve(terminal.folder, receipt), receipt, MAX_RECEIPT_BYTES);
  const sha256 = (data: Uint8Array): Uint8Array => createHash('sha256').update(data).digest();
  const report = await verified(bytes, trust, { sha256, subtle: webcrypto.subtle, validators });
  if (flags.json) terminal.out(JSON.stringify({ ...report, ...failedStep(report), receipt, trust: file }));
  else for (const line of reportLines(report, file)) terminal.out(line);
  return report.ok ? exits.ok : exits.failed;
}

async function verified(bytes: Uint8Array, trust: TrustFile, deps: VerifyDeps): Promise<ReceiptReport> {
  const text = exactText(bytes);
  if (text === undefined) return { ok: false, steps: [{ step: 'form', ok: false, detail: 'the file is not UTF-8' }] };
  return verifyReceipt(text, trust, deps);
}

function failedStep({ steps }: ReceiptReport): { failed?: string } {
  const failed = steps.find(({ ok }) => !ok);
  return failed === undefined ? {} : { failed: failed.step };
}

/** The steps as a person reads them, the verdict last. */
function reportLines(report: ReceiptReport, trustFile: string): string[] {
  const steps = report.steps.map(({ step, ok, detail }) => `${ok ? 'ok    ' : 'failed'}  ${step.padEnd(18)}  ${detail}`);
  return [`trust: ${trustFile}`, ...steps, verdict(report)];
}

function verdict(report: ReceiptReport): string {
  const { leaf } = report;
  if (leaf === undefined) return `refused: the step ${failedStep(report).failed ?? 'form'} failed`;
  return `verified: transfer ${leaf.transferId} from ${leaf.from} to ${leaf.to}, ${leaf.step}, as anchored by ${leaf.by}`;
}

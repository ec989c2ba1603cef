// Byte for byte, which takes some seconds; fabric-receipt.prop.test.ts takes some of them at random.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Validators, type FabricReceipt } from '@portolan/contracts';
import { expect, it } from 'vitest';
import { bytesOfBase64 } from '../bytes/base64.js';
import * as changed from '../testing/changed-receipts.js';
import { parseTrust } from './trust.js';
import { verifyReceipt } from './verify-receipt.js';

const vectors = new URL('../../../contracts/vectors/', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, vectors), 'utf8');
const deps = {
  sha256: (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest(),
  subtle: globalThis.crypto.subtle,
  validators: new Validators(),
};
const trust = parseTrust(read('valid/trust-file/fabric-demo.json'), deps.validators);
const receipt = read('valid/receipt/fabric-released-disclosed.json');
const parsed = JSON.parse(receipt) as FabricReceipt;
const envelope = bytesOfBase64(parsed.head.envelope);
const carrying = (bytes: Uint8Array): string => changed.carrying(parsed, bytes);
const refusedAt = (text: string): Promise<string> => changed.refusedAt(text, trust, deps);

it('every byte of the receipt, flipped, is refused, and the step named', { timeout: 120_000 }, async () => {
  const bytes = new TextEncoder().encode(receipt);
  const carried = receipt.indexOf(parsed.head.envelope);
  // Within the envelope's base64 every third: the next test takes its bytes one by one.
  const isWithin = (at: number): boolean => at > carried && at < carried + parsed.head.envelope.length - 4;
  for (let at = 0; at < bytes.length; at += 1) {
    if (isWithin(at) && at % 3 !== 0) continue;
    await refusedAt(new TextDecoder().decode(changed.flipped(bytes, at, 1 << (at % 8))));
  }
});

it('every byte of the envelope, flipped, is refused, and the step named', { timeout: 120_000 }, async () => {
  const seen = new Set<string>();
  for (let at = 0; at < envelope.length; at += 1) {
    seen.add(await refusedAt(carrying(changed.flipped(envelope, at, at % 9 === 8 ? 0xff : 1 << (at % 9)))));
  }
  // Whatever the creator signed is behind the first two: what lies deeper needs a new signature, and has vectors of its own.
  expect([...seen].sort()).toEqual(['envelope', 'head-signature']);
});

it('a flipped byte of an envelope from a real channel is refused, too', { timeout: 120_000 }, async () => {
  const real = JSON.parse(read('valid/receipt/fabric-real-released.json')) as FabricReceipt;
  const pinned = parseTrust(read('valid/trust-file/fabric-real.json'), deps.validators);
  const bytes = bytesOfBase64(real.head.envelope);
  for (let at = 0; at < bytes.length; at += 5) {
    const text = changed.carrying(real, changed.flipped(bytes, at, 1 << (at % 8)));
    const { ok, steps } = await verifyReceipt(text, pinned, deps);
    expect(ok).toBe(false);
    expect(['envelope', 'head-signature']).toContain(steps.at(-1)?.step);
  }
});

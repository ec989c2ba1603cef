import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Validators } from '@portolan/contracts';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import * as changed from '../testing/changed-receipts.js';
import { embeddedChecks } from './embedded-receipt.js';
import { parseTrust } from './trust.js';

const vectors = new URL('../../../contracts/vectors/', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, vectors), 'utf8');
const deps = {
  sha256: (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest(),
  subtle: globalThis.crypto.subtle,
  validators: new Validators(),
};
const trust = parseTrust(read('valid/trust-file/demo.json'), deps.validators);
const receipt = read('valid/receipt/released-disclosed.json');

const refusedAt = (text: string): Promise<string> => changed.refusedAt(text, trust, deps);

const changedAt = (at: number, to: string): string => receipt.slice(0, at) + to + receipt.slice(at + 1);
/** A neighbour of the same class, so that the change survives patterns as long as it can. */
const neighbour = (c: string): string => {
  for (const alphabet of ['0123456789', 'abcdef', 'ghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', '-_']) {
    const i = alphabet.indexOf(c);
    if (i >= 0) return alphabet[(i + 1) % alphabet.length]!;
  }
  return c === ' ' ? '.' : ' ';
};

it('one changed character is refused, and the step named', { timeout: 30_000 }, async () => {
  const seen = new Set<string>();
  for (let at = 0; at < receipt.length; at += 3) seen.add(await refusedAt(changedAt(at, neighbour(receipt[at]!))));
  // Each step that the text reaches is the one to fail somewhere: none of them is idle.
  for (const step of ['schema', ...embeddedChecks.map((check) => check.step)]) expect([...seen]).toContain(step);
});

it('the last character of every signature and salt has no spare bits', { timeout: 30_000 }, async () => {
  for (const { index } of receipt.matchAll(/[A-Za-z0-9_-]{22,}(?=")/g)) {
    const end = receipt.indexOf('"', index) - 1;
    for (const c of 'ABCDQRSTgwxyz0123456789-_') if (c !== receipt[end]) await refusedAt(changedAt(end, c));
  }
});

it('any byte, any position, a byte more and a byte less are refused', { timeout: 30_000 }, async () => {
  const bytes = new TextEncoder().encode(receipt);
  const edit = fc.record({ at: fc.nat(bytes.length - 1), to: fc.nat(255), kind: fc.constantFrom('change', 'insert', 'delete') });
  await fc.assert(
    fc.asyncProperty(edit, async ({ at, to, kind }) => {
      if (kind === 'change' && bytes[at] === to) return;
      const tail = bytes.slice(kind === 'insert' ? at : at + 1);
      const changed = Uint8Array.of(...bytes.slice(0, at), ...(kind === 'delete' ? [] : [to]), ...tail);
      await refusedAt(new TextDecoder().decode(changed));
    }),
    { numRuns: 400 },
  );
});

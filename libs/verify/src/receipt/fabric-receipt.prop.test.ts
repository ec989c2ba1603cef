import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { PortolanError, Validators, type FabricReceipt } from '@portolan/contracts';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { bytesOfBase64 } from '../bytes/base64.js';
import { readIdentity, readTransaction } from '../fabric/transaction.js';
import { readWriteSet } from '../fabric/writes.js';
import * as changed from '../testing/changed-receipts.js';
import { parseTrust } from './trust.js';

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

it('any byte of the receipt or of its envelope, flipped, is refused, and the step named', { timeout: 60_000 }, async () => {
  const bytes = new TextEncoder().encode(receipt);
  const flip = fc.record({ at: fc.nat(), bit: fc.nat(7) });
  await fc.assert(
    fc.asyncProperty(flip, flip, async (one, other) => {
      await refusedAt(new TextDecoder().decode(changed.flipped(bytes, one.at % bytes.length, 1 << one.bit)));
      const step = await refusedAt(carrying(changed.flipped(envelope, other.at % envelope.length, 1 << other.bit)));
      // Whatever the creator signed is behind these two: what lies deeper needs a new signature, and has vectors of its own.
      expect(['envelope', 'head-signature']).toContain(step);
    }),
    { numRuns: 200, interruptAfterTimeLimit: 20_000 },
  );
});

it('a byte more, a byte less, and bytes in another order are refused', { timeout: 60_000 }, async () => {
  const edit = fc.record({ at: fc.nat(envelope.length - 1), to: fc.nat(255), kind: fc.constantFrom('insert', 'delete', 'swap', 'cut') });
  await fc.assert(
    fc.asyncProperty(edit, async ({ at, to, kind }) => {
      const [head, tail] = [envelope.slice(0, at), envelope.slice(at)];
      if (kind === 'insert') await refusedAt(carrying(Uint8Array.of(...head, to, ...tail)));
      else if (kind === 'delete') await refusedAt(carrying(Uint8Array.of(...head, ...tail.slice(1))));
      else if (kind === 'cut') await refusedAt(carrying(head.length === 0 ? Uint8Array.of(to) : head));
      else if (at > 0) await refusedAt(carrying(Uint8Array.of(...tail, ...head)));
    }),
    { numRuns: 400, interruptAfterTimeLimit: 20_000 },
  );
});

const bytesOf = fc.uint8Array({ maxLength: 600 });
/** Bytes that begin as a message does: tags and lengths that often fit. */
const wireLike = fc
  .array(
    fc.record({
      no: fc.integer({ min: 0, max: 9 }),
      wire: fc.constantFrom(2, 2, 2, 0, 1, 3, 4, 5, 7),
      body: fc.uint8Array({ maxLength: 40 }),
    }),
    { maxLength: 12 },
  )
  .map((fields) => Uint8Array.from(fields.flatMap(({ no, wire, body }) => [(no << 3) | wire, body.length, ...body])));
const mutated = fc.array(fc.record({ at: fc.nat(envelope.length - 1), to: fc.nat(255) }), { minLength: 1, maxLength: 6 }).map((edits) => {
  const bytes = envelope.slice();
  for (const { at, to } of edits) bytes[at] = to;
  return bytes;
});

it.each([
  ['an envelope', readTransaction],
  ['an identity', readIdentity],
  ['a write set', (bytes: Uint8Array): unknown => readWriteSet(bytes, 'portolan')],
])('whatever the bytes are, reading them as %s gives a value or a refusal with a code', (_, decoder) => {
  fc.assert(
    fc.property(fc.oneof(bytesOf, wireLike, mutated), (bytes) => {
      try {
        decoder(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(PortolanError);
        expect((error as PortolanError).code).toBe('verify.protobuf-malformed');
      }
    }),
    { numRuns: 3000, interruptAfterTimeLimit: 10_000 },
  );
});

it('an envelope above all bounds is refused before it is read', async () => {
  expect(() => readTransaction(new Uint8Array(3_000_001))).toThrow(expect.objectContaining({ where: 'Envelope is oversize' }));
  expect(await refusedAt(carrying(new Uint8Array(2_999_999)))).toBe('envelope');
  expect(await refusedAt(carrying(new Uint8Array(3_300_000)))).toBe('schema');
});

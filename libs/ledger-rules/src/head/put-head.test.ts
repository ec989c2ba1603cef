import { createHash } from 'node:crypto';
import { type PutHeadArgs, Validators } from '@portolan/contracts';
import { consistencyPath, leafHash, merkleRoot, utf8 } from '@portolan/verify';
import { describe, expect, it } from 'vitest';
import { leafText, uuid, type MemoryLedger } from '../testing/memory-ledger.js';
import { channelWithPermit, digest, noon, released } from '../testing/scene.js';
import { keyText, type Decision } from '../rule.js';
import { findRecord, keysOf, names } from '../state.js';

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();
const deps = { sha256, validators: new Validators() };
const log = Array.from({ length: 9 }, (_, i) => leafHash(utf8(`event ${i}`), sha256));
const rootAt = (size: number): string => merkleRoot(log.slice(0, size), sha256);
const batches = [0, 1].map((n) => {
  const text = leafText({ ...released, transferId: uuid(100 + n) });
  return { n, text, root: leafHash(utf8(text), sha256), count: 1 };
});
const repeated = batches.map(({ n, root, count }) => ({ n, root, count }));

/** EE's log as it stands after its first head over three events and batch 0; batch 1 is committed, not yet repeated. */
function withHead(): MemoryLedger {
  const ledger = channelWithPermit(deps);
  for (const { n, text } of batches) ledger.must('anchor-batch', { v: 1, n, steps: [{ leaf: text }] }, 'EE', noon);
  ledger.must(
    'put-head',
    { v: 1, org: 'EE', seq: 0, size: 3, root: rootAt(3), consistency: [], batches: repeated.slice(0, 1) },
    'EE',
    noon,
  );
  return ledger;
}
const next: PutHeadArgs = {
  v: 1,
  org: 'EE',
  seq: 1,
  size: 7,
  root: rootAt(7),
  consistency: consistencyPath(3, log.slice(0, 7), sha256),
  batches: repeated.slice(1),
};
const put = (ledger: MemoryLedger, change: Partial<PutHeadArgs> = {}, org = 'EE'): Decision =>
  ledger.run('put-head', { ...next, ...change }, { org, role: 'notary' }, noon);

describe('put-head', () => {
  it('goes on from the previous head and remembers the next batch', () => {
    const ledger = withHead();
    expect(put(ledger).ok).toBe(true);
    const found = findRecord(names.head('EE', 1), ledger.values(keysOf(names.head('EE', 1))), sha256);
    expect(found).toMatchObject({
      is: 'present',
      entry: { record: { seq: 1, size: 7, root: rootAt(7), nextBatch: 2, batches: repeated.slice(1) } },
    });
  });
  it('may leave batches to a later head', () => expect(put(withHead(), { batches: [] }).ok).toBe(true));
  it('may repeat a batch while the log stands still', () =>
    expect(put(withHead(), { size: 3, root: rootAt(3), consistency: [] }).ok).toBe(true));

  const rows: { why: string; change?: Partial<PutHeadArgs>; org?: string; given?: (l: MemoryLedger) => void; is: string }[] = [
    { why: "another country's head", org: 'PT', is: 'ledger.not-owner' },
    { why: 'a gap', change: { seq: 2 }, is: 'ledger.head-out-of-order' },
    { why: 'the same number again', change: { seq: 0, consistency: [], batches: repeated }, is: 'ledger.already-written' },
    { why: 'a smaller log', change: { size: 2, root: rootAt(2), consistency: [] }, is: 'ledger.head-shrinks' },
    { why: 'another root', change: { root: digest }, is: 'ledger.head-inconsistent' },
    { why: 'no proof', change: { consistency: [] }, is: 'ledger.head-inconsistent' },
    { why: 'a proof too long', change: { consistency: [...next.consistency, digest] }, is: 'ledger.head-inconsistent' },
    { why: 'the same size with another root', change: { size: 3, root: digest, consistency: [] }, is: 'ledger.head-inconsistent' },
    { why: 'nothing new', change: { size: 3, root: rootAt(3), consistency: [], batches: [] }, is: 'ledger.head-idle' },
    { why: 'a batch twice', change: { batches: repeated }, is: 'ledger.head-batch-order' },
    { why: 'a batch left out', change: { batches: [{ n: 2, root: digest, count: 1 }] }, is: 'ledger.head-batch-order' },
    { why: 'a batch to come', change: { batches: [...next.batches, { n: 2, root: digest, count: 1 }] }, is: 'ledger.batch-not-visible' },
    { why: 'another batch root', change: { batches: [{ n: 1, root: digest, count: 1 }] }, is: 'ledger.head-batch-differs' },
    { why: 'another batch count', change: { batches: [{ ...repeated[1]!, count: 2 }] }, is: 'ledger.head-batch-differs' },
    {
      why: 'an altered previous head',
      given: (l) => l.state.set(keyText(keysOf(names.head('EE', 0))[0]), utf8('{}')),
      is: 'ledger.record-forged',
    },
    { why: 'an altered batch', given: (l) => l.state.delete(keyText(keysOf(names.batch('EE', 1))[0])), is: 'ledger.record-forged' },
    {
      why: 'a batch that only others wrote',
      given: (l) => l.state.delete(keyText(keysOf(names.batch('EE', 1))[1])),
      is: 'ledger.batch-not-visible',
    },
  ];
  it.each(rows)('refuses $why: $is', ({ change, org, given, is }) => {
    const ledger = withHead();
    given?.(ledger);
    expect(put(ledger, change, org)).toMatchObject({ ok: false, code: is });
  });
});

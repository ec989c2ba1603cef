import { createHash } from 'node:crypto';
import { Validators } from '@portolan/contracts';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { clockSkew, plus } from '../instants.js';
import { leafText } from '../testing/memory-ledger.js';
import { channelWithPermit, expired, noon, received, refused, released } from '../testing/scene.js';

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();
const validators = new Validators();

/** A step as its party dates it, and how far its block is from that date: at most one clock window either way, as hosts demand. */
const close = fc.record({
  what: fc.constantFrom('received', 'refused', 'expired'),
  date: fc.integer({ min: -5_000, max: 25_000 }),
  drift: fc.oneof(fc.constantFrom(-1000, 1000), fc.integer({ min: -1000, max: 1000 })),
});

it.each([clockSkew, 5_000])(
  'whatever the clocks say, no order of blocks holds expired before another end (clock window %i ms)',
  (clockWindowMs) => {
    const closing = plus(released.limit, released.graceSeconds * 1000);
    let [opened, ended] = [0, 0];
    fc.assert(
      fc.property(fc.array(close, { minLength: 2, maxLength: 5 }), (closes) => {
        const ledger = channelWithPermit({ sha256, validators, clockWindowMs });
        const text = leafText(released);
        ledger.must('anchor-batch', { v: 1, n: 0, steps: [{ leaf: text }] }, 'EE', noon);
        // Dates spread over some windows around the moment at which received closes; blocks come in the order of their own time.
        const dated = closes.map((one) => {
          const offset = Math.round((one.date / 10_000) * clockWindowMs);
          return { ...one, time: plus(closing, offset), block: offset + (one.drift / 1000) * clockWindowMs };
        });
        const next = { EE: 1, PT: 0 };
        let expiredAt: number | undefined;
        for (const { what, time, block } of dated.sort((a, b) => a.block - b.block)) {
          const by = what === 'expired' ? 'EE' : 'PT';
          const made = what === 'expired' ? expired : what === 'received' ? received : refused;
          const leaf = leafText({ ...made(ledger.hashOf(text)), by });
          const steps = [{ leaf, after: ledger.proof('EE', 0, [text], 0) }];
          const decision = ledger.run('anchor-batch', { v: 1, n: next[by], steps }, { org: by, role: 'notary' }, time);
          if (!decision.ok) continue; // A party's own batches are dated in their order.
          next[by] += 1;
          if (decision.verdicts?.[0]?.ok !== true) continue;
          if (what === 'expired') expiredAt ??= block;
          else expect(expiredAt, `${what} in a block after expired`).toBeUndefined();
          if (what === 'expired') ended += 1;
          else opened += 1;
        }
      }),
      { numRuns: 400 },
    );
    expect(Math.min(opened, ended)).toBeGreaterThan(20);
  },
);

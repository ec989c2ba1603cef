import { createHash } from 'node:crypto';
import { canonicalJson, Validators, type BatchRecord, type BatchStep, type ReleasedStep, type StepLeaf } from '@portolan/contracts';
import { leafHash, merkleRoot, utf8 } from '@portolan/verify';
import { describe, expect, it } from 'vitest';
import { leafText, uuid, type MemoryLedger } from '../testing/memory-ledger.js';
import {
  adopted,
  at,
  channelWithPermit,
  emergency,
  emergencyPermit,
  expired,
  lateReleased,
  noon,
  permit,
  received,
  refused,
  released,
} from '../testing/scene.js';
import { keyText, type Decision, type StepVerdict } from '../rule.js';
import { findRecord, keysOf, names } from '../state.js';

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();
const deps = { sha256, validators: new Validators() };
const releasedText = leafText(released);
const lateText = leafText(lateReleased);

/** EE's batch 0 holds the release, and the late one, anchored at noon. */
function withRelease(): MemoryLedger {
  const ledger = channelWithPermit(deps);
  ledger.must('anchor-batch', { v: 1, n: 0, steps: [{ leaf: releasedText }, { leaf: lateText }] }, 'EE', noon);
  return ledger;
}

const anchor = (ledger: MemoryLedger, org: string, n: number, steps: readonly BatchStep[], time = noon): Decision =>
  ledger.run('anchor-batch', { v: 1, n, steps }, { org, role: 'notary' }, time);

function verdictsOf(decision: Decision): readonly StepVerdict[] {
  if (!decision.ok) throw new Error(`refused as a whole: ${decision.code}`);
  return decision.verdicts ?? [];
}
const outcome = (verdict: StepVerdict | undefined): string => (verdict?.ok === true ? 'accepted' : (verdict?.code ?? 'none'));
const batchOf = (ledger: MemoryLedger, org: string, n: number): BatchRecord => {
  const found = findRecord<BatchRecord>(names.batch(org, n), ledger.values(keysOf(names.batch(org, n))), sha256);
  if (found.is !== 'present') throw new Error(found.is);
  return found.entry.record;
};

describe('released', () => {
  const rows: {
    why: string;
    leaf?: Partial<ReleasedStep>;
    text?: string;
    time?: string;
    by?: string;
    given?: (l: MemoryLedger) => void;
    is: string;
  }[] = [
    { why: 'under a live permit', is: 'accepted' },
    { why: 'by the receiver', by: 'PT', is: 'ledger.step-not-party' },
    { why: 'by a third country', by: 'BE', is: 'ledger.step-not-party' },
    { why: 'signed as another', leaf: { by: 'PT' }, is: 'ledger.step-not-party' },
    { why: 'to itself', leaf: { to: 'EE' }, is: 'ledger.parties-invalid' },
    {
      why: 'to a country that left',
      given: (l) => l.must('end-participant', { v: 1, org: 'PT' }, 'PT', noon),
      is: 'ledger.participant-unknown',
    },
    { why: 'under no permit', leaf: { permitId: uuid(99) }, is: 'ledger.permit-unknown' },
    { why: 'under a permit for another country', leaf: { to: 'BE' }, is: 'ledger.permit-foreign' },
    {
      why: 'under an ended permit',
      given: (l) => l.must('end-permit', { v: 1, permitId: permit.id }, 'EE', noon),
      is: 'ledger.permit-ended',
    },
    { why: 'after the permit', leaf: { limit: '2026-12-01T01:00:00.000Z' }, time: permit.until, is: 'ledger.permit-expired' },
    { why: 'with a limit that has passed', leaf: { limit: noon }, is: 'ledger.step-limit' },
    { why: 'with a limit in eight days', leaf: { limit: '2026-11-29T12:00:00.000Z' }, is: 'ledger.step-limit' },
    { why: 'with a limit on no day', leaf: { limit: '2026-11-31T12:00:00.000Z' }, is: 'ledger.leaf-malformed' },
    {
      why: 'while it is suspended by itself',
      given: (l) => l.must('suspend', { v: 1, id: uuid(5), by: 'EE', org: 'EE' }, 'EE', noon),
      is: 'ledger.suspended',
    },
    {
      why: 'while it is suspended by the receiver',
      given: (l) => l.must('suspend', { v: 1, id: uuid(5), by: 'PT', org: 'EE' }, 'PT', noon),
      is: 'ledger.suspended',
    },
    {
      why: 'while it has suspended the receiver',
      given: (l) => l.must('suspend', { v: 1, id: uuid(5), by: 'EE', org: 'PT' }, 'EE', noon),
      is: 'ledger.suspended',
    },
    {
      why: 'while the receiver has suspended itself',
      given: (l) => l.must('suspend', { v: 1, id: uuid(5), by: 'PT', org: 'PT' }, 'PT', noon),
      is: 'ledger.suspended',
    },
    {
      why: 'while a third country has suspended it',
      given: (l) => l.must('suspend', { v: 1, id: uuid(5), by: 'BE', org: 'EE' }, 'BE', noon),
      is: 'accepted',
    },
    {
      why: 'after the suspension',
      given: (l) => {
        l.must('suspend', { v: 1, id: uuid(5), by: 'PT', org: 'EE' }, 'PT', noon);
        l.must('end-suspension', { v: 1, id: uuid(5), by: 'PT', org: 'EE' }, 'PT', noon);
      },
      is: 'accepted',
    },
    {
      why: 'with an altered permit',
      given: (l) =>
        l.state.set(
          keyText(keysOf(names.permit('EE', permit.id))[0]),
          utf8(canonicalJson({ v: 1, by: 'EE', at: noon, record: { ...permit, until: '2027-01-01T00:00:00.000Z' } })),
        ),
      is: 'ledger.record-forged',
    },
    { why: 'late, within its emergency', leaf: lateReleased, is: 'accepted' },
    { why: 'late, in no emergency', leaf: { ...lateReleased, late: uuid(99) }, is: 'ledger.emergency-unknown' },
    {
      why: "late, in others' emergency",
      leaf: { ...lateReleased, from: 'PT', by: 'PT', to: 'EE' },
      by: 'PT',
      is: 'ledger.emergency-foreign',
    },
    { why: 'late, before the emergency', leaf: { ...lateReleased, time: at('05:59') }, is: 'ledger.emergency-not-covering' },
    {
      why: 'late, after the emergency',
      leaf: { ...lateReleased, time: at('18:01'), limit: at('19:00') },
      time: at('20:00'),
      is: 'ledger.emergency-not-covering',
    },
    { why: 'late, in the future', leaf: { ...lateReleased, time: at('12:03'), limit: at('13:00') }, is: 'ledger.emergency-not-covering' },
    {
      why: "late, after the emergency's end",
      leaf: { ...lateReleased, time: at('11:00'), limit: noon },
      given: (l) => l.must('end-emergency', { v: 1, id: emergency.id }, 'PT', at('10:00')),
      is: 'ledger.emergency-not-covering',
    },
    { why: 'late, under a permit for treatment', leaf: { ...lateReleased, permitId: permit.id }, is: 'ledger.permit-purpose' },
    {
      why: 'late, after its permit’s end',
      leaf: lateReleased,
      given: (l) => l.must('end-permit', { v: 1, permitId: emergencyPermit.id }, 'EE', at('06:30')),
      is: 'ledger.permit-ended',
    },
    {
      why: 'late, before its permit’s end',
      leaf: lateReleased,
      given: (l) => l.must('end-permit', { v: 1, permitId: emergencyPermit.id }, 'EE', at('11:00')),
      is: 'accepted',
    },
    { why: 'late, without saying when', text: canonicalJson({ ...released, late: emergency.id }), is: 'ledger.leaf-malformed' },
    { why: 'as no JSON', text: '{"step":', is: 'ledger.leaf-malformed' },
    { why: 'with a space', text: releasedText.replace('{', '{ '), is: 'ledger.leaf-malformed' },
    { why: 'with a field too many', text: canonicalJson({ ...released, person: 'x' }), is: 'ledger.leaf-malformed' },
    { why: 'of another version', text: canonicalJson({ ...released, v: 2 }), is: 'ledger.leaf-malformed' },
  ];
  it.each(rows)('$why: $is', ({ leaf, text, time, by = 'EE', given, is }) => {
    const ledger = channelWithPermit(deps);
    given?.(ledger);
    const decision = anchor(ledger, by, 0, [{ leaf: text ?? leafText({ ...released, ...leaf }) }], time);
    expect(outcome(verdictsOf(decision)[0])).toBe(is);
    expect(batchOf(ledger, by, 0).count).toBe(is === 'accepted' ? 1 : 0);
  });
});

describe('what follows a release', () => {
  const texts = [releasedText, lateText];
  const hash = (text: string): string => sha256(utf8(text)).reduce((hex, b) => hex + b.toString(16).padStart(2, '0'), '');
  const first = hash(releasedText);
  const late = hash(lateText);
  const lateReceived = { ...received(late), transferId: lateReleased.transferId, late: emergency.id, time: at('07:05') };
  const forgedText = leafText({ ...released, transferId: uuid(66) });
  type After = (ledger: MemoryLedger) => BatchStep['after'];
  const rows: {
    why: string;
    leaf: StepLeaf;
    after?: After | null;
    time?: string;
    by?: string;
    given?: (l: MemoryLedger) => void;
    is: string;
  }[] = [
    { why: 'received in time', leaf: received(first), is: 'accepted' },
    { why: 'received at the last moment of grace', leaf: received(first), time: at('13:30'), is: 'accepted' },
    { why: 'received after the grace', leaf: received(first), time: '2026-11-21T13:30:00.001Z', is: 'ledger.step-too-late' },
    {
      why: 'received although the permit has ended',
      leaf: received(first),
      given: (l) => l.must('end-permit', { v: 1, permitId: permit.id }, 'EE', noon),
      is: 'accepted',
    },
    {
      why: 'received although the sender is suspended',
      leaf: received(first),
      given: (l) => l.must('suspend', { v: 1, id: uuid(5), by: 'EE', org: 'EE' }, 'EE', noon),
      is: 'accepted',
    },
    { why: 'received by the sender', leaf: { ...received(first), by: 'EE' }, by: 'EE', is: 'ledger.step-not-party' },
    { why: 'received by a third country', leaf: { ...received(first), by: 'BE' }, by: 'BE', is: 'ledger.step-not-party' },
    { why: 'received without proof', leaf: received(first), after: null, is: 'ledger.predecessor-missing' },
    { why: 'received after another release', leaf: received(late), is: 'ledger.predecessor-mismatch' },
    { why: 'received of another transfer', leaf: { ...received(first), transferId: uuid(12) }, is: 'ledger.predecessor-mismatch' },
    {
      why: 'received in a batch of a third country',
      leaf: received(first),
      after: (l) => ({ ...l.proof('EE', 0, texts, 0), org: 'BE' }) as BatchStep['after'],
      is: 'ledger.predecessor-mismatch',
    },
    {
      why: 'received by a wrong path',
      leaf: received(first),
      after: (l) => ({ ...l.proof('EE', 0, texts, 0), path: [first] }) as BatchStep['after'],
      is: 'ledger.predecessor-unproven',
    },
    {
      why: 'received by a wrong index',
      leaf: received(first),
      after: (l) => ({ ...l.proof('EE', 0, texts, 0), index: 1 }) as BatchStep['after'],
      is: 'ledger.predecessor-unproven',
    },
    {
      why: 'received of an invented release',
      leaf: { ...received(hash(forgedText)), transferId: uuid(66) },
      after: (l) => ({ ...l.proof('EE', 0, texts, 0), leaf: forgedText }) as BatchStep['after'],
      is: 'ledger.predecessor-unproven',
    },
    {
      why: 'received of a text that is no step',
      leaf: received(first),
      after: (l) => ({ ...l.proof('EE', 0, texts, 0), leaf: '{}' }) as BatchStep['after'],
      is: 'ledger.predecessor-unproven',
    },
    {
      why: 'received of an altered batch',
      leaf: received(first),
      given: (l) => l.state.set(keyText(keysOf(names.batch('EE', 0))[0]), utf8('{}')),
      is: 'ledger.record-forged',
    },
    { why: 'refused in time', leaf: refused(first), is: 'accepted' },
    { why: 'refused after the grace', leaf: refused(first), time: at('14:00'), is: 'ledger.step-too-late' },
    { why: 'expired within the grace', leaf: expired(first), time: at('13:30'), is: 'ledger.step-too-early' },
    { why: 'expired just after the grace', leaf: expired(first), time: at('13:31'), is: 'ledger.step-too-early' },
    { why: 'expired one clock window after it', leaf: expired(first), time: '2026-11-21T13:32:00.001Z', is: 'ledger.step-too-early' },
    { why: 'expired at the last moment of the second clock window', leaf: expired(first), time: at('13:34'), is: 'ledger.step-too-early' },
    { why: 'expired after it, by the receiver', leaf: expired(first), time: '2026-11-21T13:34:00.001Z', is: 'accepted' },
    { why: 'expired after it, by the sender', leaf: { ...expired(first), by: 'EE' }, by: 'EE', time: at('13:35'), is: 'accepted' },
    { why: 'expired by a third country', leaf: { ...expired(first), by: 'BE' }, by: 'BE', time: at('13:35'), is: 'ledger.step-not-party' },
    { why: 'adopted after a release', leaf: adopted(first), is: 'accepted' },
    { why: 'adopted by the sender', leaf: { ...adopted(first), by: 'EE' }, by: 'EE', is: 'ledger.step-not-party' },
    { why: 'late received after the channel came back', leaf: lateReceived, after: (l) => l.proof('EE', 0, texts, 1), is: 'accepted' },
    {
      why: 'late received a day later',
      leaf: lateReceived,
      after: (l) => l.proof('EE', 0, texts, 1),
      time: '2026-11-22T12:00:00.000Z',
      is: 'accepted',
    },
    {
      why: 'late received after the late window',
      leaf: lateReceived,
      after: (l) => l.proof('EE', 0, texts, 1),
      time: '2026-11-22T12:00:00.001Z',
      is: 'ledger.step-too-late',
    },
    {
      why: 'late release expired within the late window',
      leaf: { ...expired(late), transferId: lateReleased.transferId },
      after: (l) => l.proof('EE', 0, texts, 1),
      time: at('20:00'),
      is: 'ledger.step-too-early',
    },
    {
      why: 'late release expired at the last moment of the clock windows after it',
      leaf: { ...expired(late), transferId: lateReleased.transferId },
      after: (l) => l.proof('EE', 0, texts, 1),
      time: '2026-11-22T12:04:00.000Z',
      is: 'ledger.step-too-early',
    },
    {
      why: 'late release expired after them',
      leaf: { ...expired(late), transferId: lateReleased.transferId },
      after: (l) => l.proof('EE', 0, texts, 1),
      time: '2026-11-22T12:04:00.001Z',
      is: 'accepted',
    },
    {
      why: 'late received outside the emergency',
      leaf: { ...lateReceived, time: at('05:00') },
      after: (l) => l.proof('EE', 0, texts, 1),
      is: 'ledger.emergency-not-covering',
    },
    {
      why: 'late received in no emergency',
      leaf: { ...lateReceived, late: uuid(99) },
      after: (l) => l.proof('EE', 0, texts, 1),
      is: 'ledger.emergency-unknown',
    },
  ];
  it.each(rows)('$why: $is', ({ leaf, after = (l) => l.proof('EE', 0, texts, 0), time, by = 'PT', given, is }) => {
    const ledger = withRelease();
    given?.(ledger);
    const proof = after?.(ledger);
    const step = { leaf: leafText(leaf), ...(proof === undefined ? {} : { after: proof }) };
    const n = by === 'EE' ? 1 : 0;
    expect(outcome(verdictsOf(anchor(ledger, by, n, [step], time))[0])).toBe(is);
  });

  it('a predecessor that is not committed here yet is no verdict: the batch keeps its number and names the steps', () => {
    const ledger = withRelease();
    const there = { leaf: leafText(refused(first)), after: ledger.proof('EE', 0, texts, 0) };
    const hidden = { leaf: leafText(received(first)), after: { ...ledger.proof('EE', 0, texts, 0), n: 1 } } as BatchStep;
    expect(anchor(ledger, 'PT', 0, [there, hidden, hidden])).toEqual({
      ok: false,
      code: 'ledger.predecessor-not-visible',
      where: 'steps/1,2',
    });
    expect(outcome(verdictsOf(anchor(ledger, 'PT', 0, [there]))[0])).toBe('accepted');
  });

  it('nothing follows a step that ends a transfer', () => {
    const ledger = withRelease();
    const closing = leafText(refused(first));
    ledger.must('anchor-batch', { v: 1, n: 0, steps: [{ leaf: closing, after: ledger.proof('EE', 0, texts, 0) }] }, 'PT', noon);
    for (const leaf of [received(hash(closing)), adopted(hash(closing))]) {
      const decision = anchor(ledger, 'PT', 1, [{ leaf: leafText(leaf), after: ledger.proof('PT', 0, [closing], 0) }]);
      expect(outcome(verdictsOf(decision)[0])).toBe('ledger.predecessor-mismatch');
      ledger.state.delete(keyText(keysOf(names.batch('PT', 1))[0]));
      ledger.state.delete(keyText(keysOf(names.batch('PT', 1))[1]));
    }
  });

  it('steps of one batch see the accepted ones before them', () => {
    const ledger = withRelease();
    const opened = leafText(received(first));
    const steps: BatchStep[] = [
      { leaf: opened, after: ledger.proof('EE', 0, texts, 0) },
      { leaf: leafText(adopted(hash(opened))), after: { step: 0 } },
      { leaf: leafText(adopted(hash(opened))), after: { step: 0 } },
      { leaf: leafText({ ...adopted(hash(opened)), commitment: first }), after: { step: 0 } },
      { leaf: leafText(adopted(late)), after: { step: 9 } },
      { leaf: leafText(adopted(late)), after: { step: 2 } },
      { leaf: leafText(refused(first)), after: ledger.proof('EE', 0, texts, 0) },
    ];
    const verdicts = verdictsOf(anchor(ledger, 'PT', 0, steps));
    expect(verdicts.map(outcome)).toEqual([
      'accepted',
      'accepted',
      'ledger.step-duplicate',
      'accepted',
      'ledger.predecessor-missing',
      'ledger.predecessor-refused',
      'ledger.step-duplicate',
    ]);
    expect(verdicts.flatMap((v) => (v.ok ? [v.position] : []))).toEqual([0, 1, 2]);
    const accepted = [0, 1, 3].map((i) => leafHash(utf8(steps[i]!.leaf), sha256));
    expect(batchOf(ledger, 'PT', 0)).toEqual({ v: 1, org: 'PT', n: 0, root: merkleRoot(accepted, sha256), count: 3 });
  });
});

describe('the batch as a whole', () => {
  const steps = [{ leaf: releasedText }];
  const whole = (decision: Decision): string => (decision.ok ? 'accepted' : decision.code);
  it('has no gap', () => expect(whole(anchor(withRelease(), 'EE', 2, steps))).toBe('ledger.batch-out-of-order'));
  it('is written once', () => expect(whole(anchor(withRelease(), 'EE', 0, steps))).toBe('ledger.already-written'));
  it('is not dated before the previous', () =>
    expect(whole(anchor(withRelease(), 'EE', 1, steps, at('11:59')))).toBe('ledger.batch-backdated'));
  it('may be dated like the previous', () => expect(whole(anchor(withRelease(), 'EE', 1, steps))).toBe('accepted'));
  it('is not empty', () => expect(whole(anchor(withRelease(), 'EE', 1, []))).toBe('ledger.args-invalid'));
  it('has at most 1000 steps', () => {
    expect(
      whole(
        anchor(
          withRelease(),
          'EE',
          1,
          Array.from({ length: 1001 }, () => steps[0]!),
        ),
      ),
    ).toBe('ledger.args-invalid');
  });
  it('is not longer than its text may be', () => {
    const leaf = 'x'.repeat(2048);
    const path = Array.from({ length: 64 }, () => 'ab'.repeat(32));
    const long = Array.from({ length: 400 }, () => ({ leaf, after: { org: 'EE', n: 0, index: 0, leaf, path } }));
    expect(whole(anchor(withRelease(), 'EE', 1, long))).toBe('ledger.args-invalid');
    expect(whole(anchor(withRelease(), 'EE', 1, long.slice(0, 300)))).toBe('accepted');
  });
  it('does not rest on an altered previous one', () => {
    const ledger = withRelease();
    ledger.state.delete(keyText(keysOf(names.batch('EE', 0))[0]));
    expect(whole(anchor(ledger, 'EE', 1, steps))).toBe('ledger.record-forged');
  });
  it('does not rest on a previous one that only others wrote', () => {
    const ledger = withRelease();
    ledger.state.delete(keyText(keysOf(names.batch('EE', 0))[1]));
    expect(whole(anchor(ledger, 'EE', 1, steps))).toBe('ledger.batch-out-of-order');
  });
  it('of a thousand releases writes one value and reads each key once', () => {
    const ledger = channelWithPermit(deps);
    const many = Array.from({ length: 1000 }, (_, i) => ({ leaf: leafText({ ...released, transferId: uuid(1000 + i) }) }));
    const decision = anchor(ledger, 'EE', 0, many);
    expect(decision.ok && decision.writes).toHaveLength(2);
    expect(verdictsOf(decision).every(({ ok }) => ok)).toBe(true);
    expect(batchOf(ledger, 'EE', 0).count).toBe(1000);
  });
});

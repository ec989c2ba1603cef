import { createHash } from 'node:crypto';
import { Validators, type BatchRecord, type BatchStep } from '@portolan/contracts';
import { sha256Hex } from '@portolan/verify';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { leafText, uuid, type MemoryLedger } from '../testing/memory-ledger.js';
import { channel, digest, permit, received, refused, released } from '../testing/scene.js';
import { plus } from '../instants.js';
import type { StepVerdict } from '../rule.js';
import { findRecord, keysOf, names } from '../state.js';

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();
const deps = { sha256, validators: new Validators() };
const orgs = ['EE', 'EE', 'PT', 'PT', 'BE'] as const;
const start = '2026-11-21T00:00:00.000Z';
const hours = (n: number): string => plus(start, n * 3_600_000);

const org = fc.constantFrom(...orgs);
const id = fc.integer({ min: 1, max: 3 });
const hour = fc.integer({ min: 0, max: 60 });

/** An act of the sequence; every number is small, so that acts meet each other. */
const act = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('permit' as const), who: org, to: org, id, until: hour }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('end' as const), who: org, id }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('suspend' as const), who: org, to: org }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('resume' as const), who: org, to: org }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('release' as const),
      who: org,
      steps: fc.array(fc.record({ to: org, id, limit: hour, transfer: id }), { minLength: 1, maxLength: 6 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('close' as const), who: org, reach: fc.nat(3), refuse: fc.boolean() }) },
);
type Act = typeof act extends fc.Arbitrary<infer T> ? T : never;

/** What a plain book-keeper would hold, kept apart from the rules. */
interface Book {
  readonly ledger: MemoryLedger;
  readonly permits: Map<string, { to: string; until: string; ended: boolean }>;
  readonly suspended: Map<string, string>;
  readonly next: Map<string, number>;
  readonly releases: { by: string; n: number; texts: string[]; at: string }[];
  suspensions: number;
}

type Play = { readonly [K in Act['do']]: (book: Book, one: Extract<Act, { do: K }>, now: string) => void };

const plays: Play = {
  permit: (book, { who, to, id: n, until }, now) => {
    const record = { ...permit, id: uuid(n), custodian: who, recipient: to, until: hours(until) };
    const { ok } = book.ledger.run('put-permit', record, { org: who, role: 'notary' }, now);
    expect(ok).toBe(!book.permits.has(`${who} ${n}`) && to !== who && record.until > now);
    if (ok) book.permits.set(`${who} ${n}`, { to, until: record.until, ended: false });
  },
  end: (book, { who, id: n }, now) => {
    const known = book.permits.get(`${who} ${n}`);
    const { ok } = book.ledger.run('end-permit', { v: 1, permitId: uuid(n) }, { org: who, role: 'notary' }, now);
    expect(ok).toBe(known !== undefined && !known.ended);
    if (known !== undefined) known.ended = true;
  },
  suspend: (book, { who, to }, now) => {
    const name = uuid(1000 + (book.suspensions += 1));
    const { ok } = book.ledger.run('suspend', { v: 1, id: name, by: who, org: to }, { org: who, role: 'governance' }, now);
    expect(ok).toBe(!book.suspended.has(`${who} ${to}`));
    if (ok) book.suspended.set(`${who} ${to}`, name);
  },
  resume: (book, { who, to }, now) => {
    const args = { v: 1, id: book.suspended.get(`${who} ${to}`) ?? uuid(999), by: who, org: to };
    const { ok } = book.ledger.run('end-suspension', args, { org: who, role: 'governance' }, now);
    expect(ok).toBe(book.suspended.delete(`${who} ${to}`));
  },
  release,
  close,
};

function anchor(book: Book, who: string, steps: BatchStep[], now: string): readonly StepVerdict[] {
  const n = book.next.get(who) ?? 0;
  const decision = book.ledger.run('anchor-batch', { v: 1, n, steps }, { org: who, role: 'notary' }, now);
  if (!decision.ok) throw new Error(decision.code);
  book.next.set(who, n + 1);
  const name = names.batch(who, n);
  const found = findRecord<BatchRecord>(name, book.ledger.values(keysOf(name)), sha256);
  expect(found.is === 'present' && found.entry.record.count).toBe((decision.verdicts ?? []).filter(({ ok }) => ok).length);
  return decision.verdicts ?? [];
}

function release(book: Book, one: Extract<Act, { do: 'release' }>, now: string): void {
  const texts = one.steps.map(({ to, id: permitId, limit, transfer }) =>
    leafText({
      ...released,
      transferId: uuid(100 + transfer),
      from: one.who,
      by: one.who,
      to,
      permitId: uuid(permitId),
      limit: hours(limit),
    }),
  );
  const n = book.next.get(one.who) ?? 0;
  const verdicts = anchor(
    book,
    one.who,
    texts.map((leaf) => ({ leaf })),
    now,
  );
  const taken = new Set<number>();
  for (const [i, step] of one.steps.entries()) {
    expect(verdicts[i]?.ok).toBe(mayRelease(book, one.who, step, now) && !taken.has(step.transfer));
    if (verdicts[i]?.ok === true) taken.add(step.transfer);
  }
  const accepted = texts.filter((_, i) => verdicts[i]?.ok === true);
  if (accepted.length > 0) book.releases.push({ by: one.who, n, texts: accepted, at: now });
}

function mayRelease(book: Book, who: string, { to, id: n, limit }: { to: string; id: number; limit: number }, now: string): boolean {
  const held = book.permits.get(`${who} ${n}`);
  const live = held?.to === to && !held.ended && now < held.until;
  const suspended = [`${who} ${who}`, `${to} ${to}`, `${who} ${to}`, `${to} ${who}`].some((pair) => book.suspended.has(pair));
  return live && !suspended && now < hours(limit);
}

/** A receiver answers one of the releases twice in one batch: the first may stand, the second never does. */
function close(book: Book, one: Extract<Act, { do: 'close' }>, now: string): void {
  const known = book.releases[book.releases.length - 1 - one.reach];
  if (known === undefined) return;
  const leaf = JSON.parse(known.texts[0]!) as typeof released;
  const answer = (one.refuse ? refused : received)(sha256Hex(known.texts[0]!, sha256));
  const text = leafText({ ...answer, transferId: leaf.transferId, from: leaf.from, to: leaf.to, by: one.who });
  const after = book.ledger.proof(known.by, known.n, known.texts, 0);
  const step: BatchStep = after === undefined ? { leaf: text } : { leaf: text, after };
  const verdicts = anchor(book, one.who, [step, step], now);
  expect(verdicts.map(({ ok }) => ok)).toEqual([one.who === leaf.to && now <= plus(leaf.limit, leaf.graceSeconds * 1000), false]);
}

it('in no sequence of acts does a release stand without a live permit, nor a step twice in a batch', { timeout: 60_000 }, () => {
  let accepted = 0;
  fc.assert(
    fc.property(fc.array(act, { minLength: 20, maxLength: 60, size: 'max' }), (acts) => {
      const book: Book = { ledger: channel(deps), permits: new Map(), suspended: new Map(), next: new Map(), releases: [], suspensions: 0 };
      for (const [i, one] of acts.entries()) plays[one.do](book, one as never, hours(i / 2));
      for (const { texts } of book.releases) accepted += texts.length;
    }),
    { numRuns: 300 },
  );
  expect(accepted).toBeGreaterThan(100);
});

it('a batch never throws and never depends on when it is judged again', () => {
  const text = fc.oneof(fc.string({ maxLength: 60 }), fc.json({ maxDepth: 3 }), fc.constant(leafText(released)));
  const after = fc.option(
    fc.oneof(
      fc.record({ step: fc.integer({ min: 0, max: 999 }) }),
      fc.record({
        org: fc.constantFrom('EE', 'ZZ'),
        n: fc.nat(3),
        index: fc.nat(3),
        leaf: fc.constant(leafText(released)),
        path: fc.array(fc.constant(digest), { maxLength: 3 }),
      }),
    ),
    { nil: undefined },
  );
  const steps = fc.array(fc.record({ leaf: text, after }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(steps, (some) => {
      const args = { v: 1, n: 0, steps: some.map(({ leaf, after: proof }) => (proof === undefined ? { leaf } : { leaf, after: proof })) };
      const caller = { org: 'EE', role: 'notary' } as const;
      const [first, second] = [channel(deps), channel(deps)].map((ledger) => ledger.run('anchor-batch', args, caller, start));
      expect(first).toEqual(second);
    }),
    { numRuns: 150 },
  );
});

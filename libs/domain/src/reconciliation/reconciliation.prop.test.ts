import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyOf } from '../release/references.js';
import type { Resource } from '../release/resource.js';
import { findIn, linkageOf, pairId, proposedPairs, saysTheSame, shownOnce } from './index.js';
import { MAX_PAIRS } from './pairs.js';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const judge = { id: { system: 'urn:demo', value: 'D1' }, name: 'Dr Proov' };

/** Few codes, times and states, so that many say the same. */
const entries: fc.Arbitrary<readonly Resource[]> = fc
  .array(
    fc.record({
      resourceType: fc.constantFrom('Condition', 'AllergyIntolerance'),
      code: fc.constantFrom('1', '2').map((code) => ({ coding: [{ system: 'urn:codes', code }] })),
      onset: fc.constantFrom(undefined, '2010', '2010-05', '2015'),
      criticality: fc.constantFrom(undefined, 'low', 'high'),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((made) =>
    made.map(({ resourceType, code, onset, criticality }, i) => ({
      resourceType,
      id: `r${i}`,
      code,
      ...(onset !== undefined && { onsetDateTime: onset }),
      ...(criticality !== undefined && { criticality }),
    })),
  );
const key = (n: number, record: readonly Resource[]): string => keyOf(record[n % record.length] as Resource);
const links = fc.array(fc.tuple(fc.nat(11), fc.nat(11), fc.boolean()), { maxLength: 20 });
const linked = (record: readonly Resource[], made: readonly (readonly [number, number, boolean])[]): readonly Resource[] =>
  made.map(([known, come, active], i) => linkageOf({ known: key(known, record), come: key(come, record) }, `l${i}`, judge, active));

describe('what is judged the same', () => {
  it('is shown once, by an entry that is shown and says it; nothing else is left out', () => {
    fc.assert(
      fc.property(entries, links, fc.nat(0xfff), (record, made, mask) => {
        const linkages = linked(record, made);
        const shown = record.filter((_, i) => (mask >> i) % 2 === 0);
        const keys = new Set(shown.map(keyOf));
        const instead = shownOnce(shown, [...record, ...linkages]);
        const find = findIn(record);
        for (const [left, by] of instead) {
          expect(keys.has(left) && keys.has(by) && !instead.has(by) && left !== by).toBe(true);
          expect(saysTheSame(find(left) as Resource, find(by) as Resource, find)).toBe(true);
          expect(linkages.some((one) => one['active'] === true && JSON.stringify(one).includes(`"${left}"`))).toBe(true);
        }
      }),
    );
  });

  it('is shown once whatever the order in which it was judged', () => {
    fc.assert(
      fc.property(entries, links, (record, made) => {
        const linkages = linked(record, made);
        const one = shownOnce(record, [...record, ...linkages]);
        expect(shownOnce(record, [...linkages.toReversed(), ...record.toReversed()])).toEqual(new Map(one));
      }),
    );
  });

  it('leaves out all but one of what is linked to each other and says the same', () => {
    const record = ['r0', 'r1', 'r2'].map((id) => ({
      resourceType: 'Condition',
      id,
      code: { coding: [{ system: 'urn:codes', code: '1' }] },
    }));
    const circle = [0, 1, 2].map((n) => [n, (n + 1) % 3, true] as const);
    expect(shownOnce(record, [...record, ...linked(record, circle)])).toEqual(
      new Map([
        ['Condition/r1', 'Condition/r0'],
        ['Condition/r2', 'Condition/r0'],
      ]),
    );
  });
});

describe('what is proposed', () => {
  it('is each newcomer with what the record held that says the same, and nothing else', () => {
    fc.assert(
      fc.property(entries, fc.nat(0xfff), (record, mask) => {
        const come = new Set(record.filter((_, i) => (mask >> i) % 2 === 0).map(keyOf));
        const pairs = proposedPairs(record, come);
        const find = findIn(record);
        for (const pair of pairs) {
          expect(come.has(pair.come) && !come.has(pair.known)).toBe(true);
          expect(saysTheSame(find(pair.known) as Resource, find(pair.come) as Resource, find)).toBe(true);
        }
        for (const one of record.filter((each) => come.has(keyOf(each)))) {
          const same = record.filter((each) => !come.has(keyOf(each)) && saysTheSame(each, one, find));
          expect(pairs.filter((pair) => pair.come === keyOf(one))).toHaveLength(Math.min(10, same.length));
        }
        expect(proposedPairs(record.toReversed(), come)).toEqual(pairs);
        // Of one entry that was filed now: what is proposed of it among all, bounded for itself.
        const [own] = record.map(keyOf).filter((one) => !come.has(one));
        expect(proposedPairs(record, come, (one) => one === own)).toEqual(pairs.filter(({ known }) => known === own));
      }),
    );
  });

  it('has an id that does not say which came first', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (known, come) => {
        expect(pairId({ known, come }, sha256)).toBe(pairId({ known: come, come: known }, sha256));
      }),
    );
    expect(pairId({ known: 'Condition/1', come: 'Condition/2' }, sha256)).not.toBe(
      pairId({ known: 'Condition/1', come: 'Condition/3' }, sha256),
    );
  });

  it('is bounded', () => {
    const coding = [{ system: 'urn:codes', code: '1' }];
    const record = Array.from({ length: 400 }, (_, i) => ({ resourceType: 'Condition', id: `r${i}`, code: { coding } }));
    const come = new Set(record.slice(0, 200).map(keyOf));
    expect(proposedPairs(record, come)).toHaveLength(MAX_PAIRS);
  });
});

import type { TrailFilter, TrailPlace, TrailStep } from '@portolan/domain';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AesDataKeys } from '../test-support/aes-data-keys.js';
import { uuid } from '../test-support/scratch.js';
import { testCluster } from '../test-support/test-cluster.js';
import { openNotaryDatabase, type NotaryDatabase } from './open-notary-database.js';

const seed = 20261128;
const instant = (minute: number): string => new Date(Date.UTC(2026, 10, 21, 10, minute)).toISOString();
const countries = ['EE', 'PT', 'BE'];
const transfers = [uuid(), uuid()];
const one = <T>(values: readonly T[], n: number): T => values[n % values.length]!;

/** Times go back and forth between blocks, as those of several countries' clocks do. */
const steps: readonly TrailStep[] = Array.from({ length: 240 }, (_, n) => ({
  block: 1_000 + Math.trunc(n / 5),
  position: n % 5,
  at: instant(Math.trunc(n / 12) + ((n * 7) % 5)),
  org: one(countries, n * n),
  transferId: one(transfers, Math.trunc(n / 3)),
  step: one(['released', 'received', 'expired'], n * 5 + (n % 2)),
  from: one(countries, n * n),
  to: one(countries, n * n + 1 + (n % 2)),
  permitId: undefined,
  purpose: one(['TREAT', undefined, 'HPAYMT'], n),
  reason: undefined,
  late: false,
  batch: n,
  index: 0,
  leaf: `leaf ${n}`,
  alarm: n % 11 === 0 ? 'ledger.end-repeated' : undefined,
}));

const maybe = <T>(values: readonly T[]): fc.Arbitrary<T | undefined> => fc.option(fc.constantFrom(...values), { nil: undefined });
const filters: fc.Arbitrary<TrailFilter> = fc
  .record({
    country: maybe(countries),
    from: maybe([instant(3), instant(9)]),
    to: maybe([instant(9), instant(15)]),
    purpose: maybe(['TREAT', 'HPAYMT']),
    transferId: maybe(transfers),
    step: maybe(['released', 'expired']),
    org: maybe(countries),
    alarm: maybe(['true', 'false'] as const),
  })
  .map((record) => Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)));

/** What the filter means, said without SQL. */
const fits =
  ({ country, from, to, purpose, transferId, step, org, alarm }: TrailFilter) =>
  (row: TrailStep): boolean =>
    [
      country === undefined || row.from === country || row.to === country,
      from === undefined || row.at >= from,
      to === undefined || row.at < to,
      purpose === undefined || row.purpose === purpose,
      transferId === undefined || row.transferId === transferId,
      step === undefined || row.step === step,
      org === undefined || row.org === org,
      alarm === undefined || (row.alarm !== undefined) === (alarm === 'true'),
    ].every(Boolean);

const newestFirst = (a: TrailStep, b: TrailStep): number => b.at.localeCompare(a.at) || b.block - a.block || b.position - a.position;

describe('a page of the trail', () => {
  let db: NotaryDatabase;

  beforeAll(async () => {
    db = await openNotaryDatabase({ address: (await (await testCluster()).country('FI')).notary }, new AesDataKeys());
    await db.uow.run((tx) => tx.trail.putSteps(steps));
  });
  afterAll(async () => db.close());

  /** All pages of one walk, up to `upTo`, which stands in every cursor. */
  async function walk(filter: TrailFilter, limit: number, upTo: number): Promise<readonly TrailStep[]> {
    const seen: TrailStep[] = [];
    for (let behind: TrailPlace | undefined; ;) {
      const page = await db.uow.run((tx) => tx.trail.steps(filter, limit, behind));
      seen.push(...page);
      const last = page.at(-1);
      if (last === undefined || page.length < limit) return seen;
      behind = { upTo, at: last.at, block: last.block, position: last.position };
    }
  }

  it('holds what the filter names, each once, from the newest to the oldest, however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(filters, fc.constantFrom(1, 7, 100, 500), async (filter, limit) => {
        expect(await walk(filter, limit, 2_000)).toEqual(steps.filter(fits(filter)).toSorted(newestFirst));
      }),
      { seed, numRuns: 60 },
    );
  });

  it('shows on later pages nothing that was indexed after the first', async () => {
    const [first, ...rest] = [await walk({}, 240, 1_020), await walk({}, 1, 1_020)];
    expect(first).toHaveLength(240);
    expect(rest[0].slice(1).every(({ block }) => block <= 1_020)).toBe(true);
    expect(rest[0].slice(1)).toEqual(
      steps
        .toSorted(newestFirst)
        .slice(1)
        .filter(({ block }) => block <= 1_020),
    );
  });
});

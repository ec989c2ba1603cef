import { Leases } from '@portolan/domain';
import { beforeEach, describe, expect, it } from 'vitest';
import { HeldLease } from './held-lease.js';

/** One lease with a clock of its own, as the database keeps it. */
class OneLease extends Leases {
  asked = 0;
  private holder = '';
  private until = 0;
  private fencing = 0;

  constructor(private readonly clock: () => number) {
    super();
  }

  override async acquire(_name: string, holder: string, ttlMs: number): Promise<number | undefined> {
    this.asked += 1;
    const isOurs = this.holder === holder && this.until > this.clock();
    if (!isOurs && this.until > this.clock()) return undefined;
    if (!isOurs) this.fencing += 1;
    [this.holder, this.until] = [holder, this.clock() + ttlMs];
    return this.fencing;
  }

  override async release(): Promise<void> {
    this.until = this.clock();
  }
}

let now: number;
let lease: OneLease;
const of = (holder: string): HeldLease => new HeldLease(lease, 'batcher', holder, 1_000, () => now);

beforeEach(() => {
  now = 5_000;
  lease = new OneLease(() => now);
});

describe('a held lease', () => {
  it('is asked for once a quarter of its time, not at each round', async () => {
    const ours = of('a');
    for (let i = 0; i < 100; i += 1) expect(await ours.fencing()).toBe(1);
    expect(lease.asked).toBe(1);
    now += 250;
    expect(await ours.fencing()).toBe(1);
    expect(lease.asked).toBe(2);
  });

  it('never outlives its time without being asked for: whoever was frozen comes back under no number of before', async () => {
    const ours = of('a');
    await ours.fencing();
    now += 1_001;
    expect(await of('b').fencing()).toBe(2);
    expect(await ours.fencing()).toBeUndefined();
    expect(await ours.during(() => Promise.reject(new Error('no round without the lease')))).toBe(false);
  });

  it('that another holds is asked for at each round', async () => {
    await of('b').fencing();
    const ours = of('a');
    expect(await ours.fencing()).toBeUndefined();
    now += 1_000;
    expect(await ours.fencing()).toBe(2);
  });

  it('is asked for anew after a round that failed, as one does whose number is outdated', async () => {
    const ours = of('a');
    await expect(ours.during(() => Promise.reject(new Error('fenced')))).rejects.toThrow('fenced');
    expect(await ours.during(async (fencing) => fencing === 1)).toBe(true);
    expect(lease.asked).toBe(2);
  });

  it('given back is free at once', async () => {
    const ours = of('a');
    await ours.fencing();
    await ours.release();
    expect(await of('b').fencing()).toBe(2);
  });
});

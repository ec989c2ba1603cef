import type { LeaseName, Leases } from '@portolan/domain';

/** A lease is renewed when this part of its time is over: three renewals may fail before another copy of the role takes it. */
const RENEW_AFTER = 1 / 4;

/**
 * A lease as its holder keeps it: the database is asked when it is to be renewed, and not at each round. Believing too long that it is held is
 * harmless: each write carries the fencing number, and one that is outdated is refused. After a refusal it is asked for anew.
 */
export class HeldLease {
  private held: { readonly fencing: number; readonly renewAt: number } | undefined;

  constructor(
    private readonly leases: Leases,
    private readonly name: LeaseName,
    private readonly holder: string,
    private readonly ttlMs: number,
    /** Milliseconds that never run backwards. */
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** The fencing number, or undefined where another copy holds it. */
  async fencing(): Promise<number | undefined> {
    const began = this.now();
    if (this.held !== undefined && began < this.held.renewAt) return this.held.fencing;
    this.held = undefined;
    const fencing = await this.leases.acquire(this.name, this.holder, this.ttlMs);
    if (fencing !== undefined) this.held = { fencing, renewAt: began + this.ttlMs * RENEW_AFTER };
    return fencing;
  }

  /** Does a round under the lease; false, and nothing done, where another copy holds it. A round that fails has the lease looked at anew. */
  async during(round: (fencing: number) => Promise<boolean>): Promise<boolean> {
    const fencing = await this.fencing();
    if (fencing === undefined) return false;
    try {
      return await round(fencing);
    } catch (error) {
      this.held = undefined;
      throw error;
    }
  }

  async release(): Promise<void> {
    this.held = undefined;
    await this.leases.release(this.name, this.holder);
  }
}

/** After a failure, how long to leave the other end alone: doubling from `firstMs` to `mostMs`, over at the first success. */
export class Backoff {
  private failures = 0;
  private until = 0;

  constructor(
    private readonly firstMs: number,
    private readonly mostMs: number,
    private readonly now: () => number,
  ) {}

  /** Whether it is too early to try again. */
  get isWaiting(): boolean {
    return this.now() < this.until;
  }

  /** Milliseconds that this failure asks to wait. */
  failed(): number {
    const waitMs = Math.min(this.firstMs * 2 ** Math.min(this.failures, 30), this.mostMs);
    this.until = this.now() + waitMs;
    this.failures += 1;
    return waitMs;
  }

  succeeded(): void {
    this.failures = 0;
    this.until = 0;
  }
}

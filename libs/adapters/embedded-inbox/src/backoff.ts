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

  /** A failure while others failed at the same moment counts once. */
  failed(): void {
    if (this.isWaiting) return;
    this.until = this.now() + Math.min(this.firstMs * 2 ** Math.min(this.failures, 30), this.mostMs);
    this.failures += 1;
  }

  succeeded(): void {
    this.failures = 0;
    this.until = 0;
  }
}

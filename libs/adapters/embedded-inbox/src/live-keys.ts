import type { CountryCode, Kid } from '@portolan/contracts';
import type { PartnerKeyIsLive } from '@portolan/domain';

/**
 * Remembers for a moment whether a key is live, so that each message can ask. The memory is shorter than the second within which a
 * revocation must bite; `drop` does not wait for it.
 */
export class LiveKeys {
  private readonly answers = new Map<string, { until: number; live: Promise<boolean> }>();

  constructor(
    private readonly isLive: PartnerKeyIsLive,
    private readonly rememberMs: number,
  ) {}

  /** Rejects where the registry cannot be read; that is not remembered. */
  async check(country: CountryCode, kid: Kid): Promise<boolean> {
    const name = `${country}-${kid}`;
    const known = this.answers.get(name);
    if (known !== undefined && performance.now() < known.until) return known.live;
    const live = this.isLive(country, kid);
    this.remember(name, live);
    live.catch(() => this.answers.delete(name));
    return live;
  }

  /** The key is not live, whatever was heard before. */
  drop(country: CountryCode, kid: Kid): void {
    this.remember(`${country}-${kid}`, Promise.resolve(false));
  }

  private remember(name: string, live: Promise<boolean>): void {
    this.answers.set(name, { until: performance.now() + this.rememberMs, live });
  }
}

import { stat } from 'node:fs/promises';
import { PortolanError, type CountryCode, type NodeConfig } from '@portolan/contracts';
import { readNodeConfig } from '../config/read-node-config.js';
import { Loop } from './loop.js';
import type { NodeLogger } from './logger.js';

type Partner = NodeConfig['partners'][number];

const LOOK_EVERY_MS = 1_000;

/**
 * The countries that a node exchanges with. They follow the configuration file while the node runs, so that a country that joins is known
 * without a restart; of the file's other fields none is taken over. A file that cannot be used changes nothing, and is told once.
 */
export class PartnerList {
  private partners: readonly Partner[];
  private seen: string | undefined;
  private readonly loop: Loop;

  constructor(
    private readonly config: Pick<NodeConfig, 'country' | 'partners'>,
    private readonly file: string | undefined,
    private readonly logger: NodeLogger,
  ) {
    this.partners = config.partners;
    this.loop = new Loop({ name: 'partners', work: () => this.look(), idleMs: LOOK_EVERY_MS, logger });
  }

  get all(): readonly Partner[] {
    return this.partners;
  }

  get countries(): readonly CountryCode[] {
    return this.partners.map(({ country }) => country);
  }

  start(): void {
    if (this.file !== undefined) this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  private async look(): Promise<boolean> {
    const stamp = await stampOf(this.file ?? '');
    if (stamp === undefined || stamp === this.seen) return false;
    const isFirst = this.seen === undefined;
    this.seen = stamp;
    // The one that the node was started with.
    if (!isFirst) await this.take();
    return false;
  }

  private async take(): Promise<void> {
    try {
      const { country, partners } = await readNodeConfig(this.file ?? '');
      if (country !== this.config.country) throw new PortolanError('config.invalid', 'country');
      if (JSON.stringify(partners) === JSON.stringify(this.partners)) return;
      this.partners = partners;
      this.logger.info(`partners are now ${this.countries.join(', ')}`);
    } catch (error) {
      this.logger.failure('the changed configuration cannot be used; partners stay as they were', 'config.invalid', error);
    }
  }
}

/** Differs after each change of the file; undefined while there is none. */
async function stampOf(file: string): Promise<string | undefined> {
  const found = await stat(file).catch(() => undefined);
  return found === undefined ? undefined : `${found.ino} ${found.mtimeMs} ${found.size}`;
}

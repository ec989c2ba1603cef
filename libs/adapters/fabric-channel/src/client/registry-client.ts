import { PortolanError, type Uuid } from '@portolan/contracts';
import { backoffMs, pause } from '../index/waiting.js';
import type { ChannelClient } from './channel-client.js';
import { unreachable } from './tried.js';
import { limits } from './limits.js';

/**
 * Registry acts under an organisation's governance identity: for setup tools and a registry office, since no running process of a
 * node holds that identity. The same act may be sent again under the same id.
 */
export class FabricRegistryClient {
  private readonly never = new AbortController().signal;

  /** `client`: of the governance identity; closed with this. */
  constructor(private readonly client: ChannelClient) {}

  /** Resolves when the act is committed on our own peer; throws the code for which it is refused, or `ledger.unreachable`. */
  async act({ id, fn, args }: { readonly id: Uuid; readonly fn: string; readonly args: unknown }): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      const tried = await this.client.attempt(fn, [id, JSON.stringify(args)], () => undefined);
      if (tried.is === 'committed') return;
      if (tried.is === 'refused') {
        if (tried.code === 'orderer.transaction-duplicate') return;
        throw new PortolanError(tried.code, tried.where);
      }
      if (attempt + 1 >= limits.tries)
        throw tried.is === 'again' ? new PortolanError(tried.code, `fabric ${fn}`) : unreachable(tried.cause);
      await pause(backoffMs(attempt + 1), this.never);
    }
  }

  /** Public bytes of a record as our own peer has it committed, as text; '' where it is absent. */
  async record(owner: string, key: string): Promise<string> {
    return this.client.ask('read-record', owner, key);
  }

  close(): void {
    this.client.close();
  }
}

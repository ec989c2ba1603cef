import { PortolanError, type ErrorCode, type OrgId, type Uuid } from '@portolan/contracts';
import { instant, type Clock, type FabricIndexStore } from '@portolan/domain';
import type { BlockIndex } from '../index/block-index.js';
import type { Contact } from '../index/contact.js';
import { backoffMs, pause, Turnstile } from '../index/waiting.js';
import type { ChannelClient } from './channel-client.js';
import { unreachable, type Tried } from './tried.js';
import { limits } from './limits.js';

export interface SubmissionParts {
  readonly org: OrgId;
  readonly store: FabricIndexStore;
  readonly client: ChannelClient;
  readonly index: BlockIndex;
  readonly contact: Contact;
  readonly clock: Clock;
  readonly until: AbortSignal;
}

interface Call {
  readonly id: Uuid;
  readonly fn: string;
  readonly args: unknown;
}

/** For what a channel does not let somebody act at all, whatever the act: told to the caller, and no outcome of the act. */
const admission: readonly ErrorCode[] = ['orderer.time-window', 'runtime.unexpected'];

/** Brings an act to the channel once, by its id, over as many transactions as that takes. */
export class Submission {
  private readonly turnstile = new Turnstile(limits.inFlight, limits.waiting);

  constructor(private readonly parts: SubmissionParts) {}

  async bring(call: Call): Promise<void> {
    const done = await this.turnstile.run(() => this.pursue(call, JSON.stringify(call.args)));
    if (done === undefined) throw new PortolanError('orderer.busy', 'fabric submit');
  }

  private async pursue(call: Call, text: string): Promise<void> {
    const end = performance.now() + limits.submitMs;
    for (let attempt = 0; ; attempt += 1) {
      if (await this.isSettled(call.id, attempt > 0)) return;
      const tried = await this.attempt(call, text);
      const told = await this.settled(tried, call, text);
      if (told === undefined) return;
      if (attempt + 1 >= limits.tries || performance.now() > end || this.parts.until.aborted) throw told;
      await pause(backoffMs(attempt), this.parts.until);
    }
  }

  /**
   * Asked before each try: of the index, and from the second on of what our own peer has committed. An act that stands already, though the
   * index has not reached it, is found at the first try by the contract itself: it takes an id once.
   */
  private async isSettled(id: Uuid, again: boolean): Promise<boolean> {
    const { store, client, org } = this.parts;
    const stands = (await store.find(id)).some((tx) => tx.valid && tx.org === org);
    if (stands || (await store.refusal(id)) !== undefined) return true;
    if (!again) return false;
    return (await client.ask('transaction-known', org, id)) === 'true';
  }

  private async attempt({ id, fn }: Call, text: string): Promise<Tried> {
    let end: ((settled: boolean) => void) | undefined;
    const tried = await this.parts.client.attempt(fn, [id, text], () => (end = this.parts.contact.ordering()));
    end?.(tried.is !== 'unknown');
    return tried;
  }

  /** What is to be told if it is not tried again; undefined where the act has its outcome. */
  private async settled(tried: Tried, call: Call, text: string): Promise<PortolanError | undefined> {
    switch (tried.is) {
      case 'committed':
        return undefined;
      case 'again':
        return new PortolanError(tried.code, `fabric ${call.fn}`);
      case 'unknown':
        return unreachable(tried.cause, `fabric ${call.fn}`);
      case 'refused':
        return this.refused(tried, call, text);
    }
  }

  private async refused({ code, where }: Tried & { is: 'refused' }, call: Call, text: string): Promise<PortolanError | undefined> {
    // An earlier try of ours stands: its block is on its way to the index.
    if (code === 'orderer.transaction-duplicate') return undefined;
    if (where === 'signer' || admission.includes(code)) throw new PortolanError(code, where);
    const { store, index, clock } = this.parts;
    const height = await index.height();
    await store.refuse({ id: call.id, fn: call.fn, args: text, code, where, time: instant(clock.now()), height });
    return undefined;
  }
}

import { limits, type Tried } from '@portolan/fabric-channel';
import type { Commit, Committer } from 'fabric-common';
import type { Connection } from './connection.js';

/** orderer.BroadcastResponse as the SDK gives it: the name of a common.Status. */
interface Broadcast {
  readonly status: string;
  readonly info?: string;
}

/**
 * Hands transactions to the orderers, one at a time as the SDK does; each one passes them on to the leader. One that cannot be reached, or says no,
 * is left for the next; one that was sent to and does not answer may have ordered.
 */
export class Ordering {
  /** Those that failed come last. */
  private order: Committer[] = [];

  constructor(private readonly connection: Connection) {}

  /** Undefined where it is handed over; else what is known of it. */
  async hand(commit: Commit): Promise<Tried | undefined> {
    const end = performance.now() + limits.orderMs;
    let refused: Tried | undefined;
    for (const orderer of this.orderers()) {
      const left = end - performance.now();
      if (left <= 0) break;
      if (!(await orderer.checkConnection())) this.setBack(orderer);
      else {
        const told = await this.send(commit, orderer, left);
        if (told === undefined || told.is !== 'again') return told;
        refused = told;
        this.setBack(orderer);
      }
    }
    return refused ?? { is: 'again', code: 'ledger.unreachable' };
  }

  private async send(commit: Commit, orderer: Committer, requestTimeout: number): Promise<Tried | undefined> {
    try {
      const { status, info = '' } = (await commit.send({ targets: [orderer], requestTimeout })) as Broadcast;
      if (status === 'SUCCESS') return undefined;
      const large = status === 'REQUEST_ENTITY_TOO_LARGE' || info.includes('exceeds maximum allowed');
      if (large) return { is: 'refused', code: 'ledger.transaction-too-large', where: 'transaction' };
      return { is: 'again', code: 'ledger.endorsement-failed' };
    } catch (error) {
      this.setBack(orderer);
      return { is: 'unknown', cause: error };
    }
  }

  private orderers(): Committer[] {
    const known = this.connection.channel.getCommitters();
    this.order = [...this.order.filter((one) => known.includes(one)), ...known.filter((one) => !this.order.includes(one))];
    return [...this.order];
  }

  private setBack(orderer: Committer): void {
    this.order = [...this.order.filter((one) => one !== orderer), orderer];
  }
}

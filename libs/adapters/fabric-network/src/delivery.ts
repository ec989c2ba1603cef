import type { Duplex } from 'node:stream';
import { limits, unreachable } from '@portolan/fabric-channel';
import type { Eventer } from 'fabric-common';
import type { Connection } from './connection.js';

/** protos.DeliverResponse as the SDK's decoder gives it; 64-bit numbers are objects of `long`. */
export interface DeliverResponse {
  readonly Type: 'status' | 'block' | 'filtered_block' | 'block_and_private_data';
  readonly block?: {
    readonly header: { readonly number: Long; readonly previous_hash: Uint8Array; readonly data_hash: Uint8Array };
    readonly data: { readonly data: readonly Uint8Array[] };
    readonly metadata: { readonly metadata: readonly Uint8Array[] };
  };
  readonly filtered_block?: {
    readonly filtered_transactions: readonly { readonly txid: string; readonly tx_validation_code: number }[];
  };
}

interface Long {
  toNumber(): number;
}

/** What the SDK's types leave out of its line to a peer's blocks. */
interface DeliverLine extends Eventer {
  readonly stream: Duplex | null;
  setStreamByType(kind: 'full' | 'filtered'): unknown;
}

/**
 * A stream of blocks of our own peer, from block `from` or the newest one on, until it breaks, is closed or has been open for
 * `limits.streamMs`. The SDK's own event service is passed by: it decodes every transaction, ends at the first that it cannot decode, and pushes
 * blocks faster than they are kept. Here they are taken as they come, one at a time.
 */
export class Delivery implements AsyncIterable<DeliverResponse> {
  private closed = false;
  private readonly timer: NodeJS.Timeout;

  private constructor(
    private readonly line: Eventer,
    private readonly stream: Duplex,
  ) {
    // A break is told to whoever reads; one that nobody reads any more breaks unheard.
    stream.on('error', () => undefined);
    this.timer = setTimeout(() => this.close(), limits.streamMs).unref();
  }

  static async open(connection: Connection, kind: 'full' | 'filtered', from?: number): Promise<Delivery> {
    const seek = connection.channel.newEventService(kind);
    const request = { blockType: kind, ...(from === undefined ? {} : { startBlock: from }) };
    await connection.signed(seek, seek.build(connection.context(), request));
    const line = (await connection.eventer()) as DeliverLine;
    line.setStreamByType(kind);
    if (line.stream === null) throw unreachable(new Error('no stream'));
    const delivery = new Delivery(line, line.stream);
    line.stream.write(seek.getSignedEnvelope());
    return delivery;
  }

  /** Ends where it was closed; throws `ledger.unreachable` where it broke. */
  async *[Symbol.asyncIterator](): AsyncGenerator<DeliverResponse> {
    try {
      for await (const message of this.stream as AsyncIterable<DeliverResponse>) {
        if (this.isClosed()) return;
        if (message.Type === 'status') throw new Error('the peer ended its blocks');
        yield message;
      }
    } catch (error) {
      if (!this.isClosed()) throw unreachable(error);
    } finally {
      this.close();
    }
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    clearTimeout(this.timer);
    this.line.disconnect();
  }

  private isClosed(): boolean {
    return this.closed;
  }
}

import { limits, unreachable } from '@portolan/fabric-channel';
import type { Connection } from './connection.js';
import { Delivery } from './delivery.js';

/**
 * Tells what became of transactions at their commit on our own peer, from one stream of filtered blocks for all of them. It is opened before
 * the first transaction is handed over, and again after it broke; whoever waited through a break is told nothing.
 */
export class Commits {
  private readonly waiting = new Map<string, (code: number | undefined) => void>();
  private closed = false;
  private watch: { readonly live: Promise<void>; readonly close: () => void } | undefined;

  constructor(private readonly connection: Connection) {}

  /** Resolves when every commit from now on will be seen; `ledger.unreachable`. */
  async seen(): Promise<void> {
    this.watch ??= this.begin();
    await this.watch.live;
  }

  /** The validation code of a transaction (protos.TxValidationCode); undefined where none came in time or the stream broke. `seen` was waited for. */
  of(txId: string): Promise<number | undefined> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        settle(undefined);
        // Nothing was ordered, or the stream is dead without a word: the next one to be handed over has another.
        this.watch?.close();
      }, limits.commitMs);
      const settle = (code: number | undefined): void => {
        clearTimeout(timer);
        this.waiting.delete(txId);
        resolve(code);
      };
      this.waiting.set(txId, settle);
    });
  }

  /** Nobody waits for it any more. */
  forget(txId: string): void {
    this.waiting.get(txId)?.(undefined);
  }

  close(): void {
    this.closed = true;
    this.watch?.close();
  }

  private begin(): NonNullable<Commits['watch']> {
    const begun = Promise.withResolvers<undefined>();
    const late = setTimeout(() => begun.reject(unreachable(new Error('no block in time'))), limits.evaluateMs);
    let delivery: Delivery | undefined;
    const read = async (): Promise<void> => {
      delivery = await Delivery.open(this.connection, 'filtered');
      if (this.closed) delivery.close();
      // The newest block comes at once.
      for await (const { filtered_block: block } of delivery) {
        begun.resolve(undefined);
        for (const { txid, tx_validation_code: code } of block?.filtered_transactions ?? []) this.waiting.get(txid)?.(code);
      }
    };
    const ended = (error: unknown): void => {
      clearTimeout(late);
      this.watch = undefined;
      begun.reject(unreachable(error));
      for (const settle of [...this.waiting.values()]) settle(undefined);
    };
    void read().then(() => ended(new Error('closed')), ended);
    begun.promise.then(() => clearTimeout(late)).catch(() => delivery?.close());
    return { live: begun.promise, close: () => delivery?.close() };
  }
}

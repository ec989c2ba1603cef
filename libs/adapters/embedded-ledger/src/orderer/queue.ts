import { PortolanError, type CompactJws, type Uuid } from '@portolan/contracts';
import { limits } from '../chain/limits.js';
import { Signal } from '../chain/signal.js';

export interface Waiting {
  readonly id: Uuid;
  readonly jws: CompactJws;
  /** Settles with the transaction's fate: in a block, or handed back. */
  readonly done: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Transactions on their way into a block: bounded, each id once. */
export class Queue {
  /** Fires when something was added. */
  readonly grown = new Signal();
  private readonly entries = new Map<Uuid, Waiting>();
  private chars = 0;
  private since = 0;

  /** `cutAfterMs`: from the first waiting transaction to the cut. */
  constructor(private readonly cutAfterMs: number = limits.cutAfterMs) {}

  get size(): number {
    return this.entries.size;
  }

  /** The promise of a transaction's fate; the same for the same id. `orderer.busy` when the queue is full. */
  add(id: Uuid, jws: CompactJws): Promise<void> {
    const known = this.entries.get(id);
    if (known !== undefined) return known.done;
    if (this.size >= limits.queueTransactions || this.chars + jws.length > limits.queueChars)
      throw new PortolanError('orderer.busy', 'queue');
    if (this.size === 0) this.since = performance.now();
    const entry = waiting(id, jws);
    this.entries.set(id, entry);
    this.chars += jws.length;
    this.grown.fire();
    return entry.done;
  }

  /** Milliseconds until the next block is to be cut: 0 when it is due. */
  dueIn(): number {
    if (this.size >= limits.blockTransactions || this.chars >= limits.blockChars) return 0;
    return Math.max(0, this.since + this.cutAfterMs - performance.now());
  }

  /** The transactions of the next block, oldest first. They stay known by id until `settle`. */
  next(): readonly Waiting[] {
    const taken: Waiting[] = [];
    let chars = 0;
    for (const entry of this.entries.values()) {
      chars += entry.jws.length;
      if (taken.length >= limits.blockTransactions || (taken.length > 0 && chars > limits.blockChars)) break;
      taken.push(entry);
    }
    return taken;
  }

  /** Takes transactions out and tells their senders: in a block, or why not. */
  settle(entries: readonly Waiting[], error?: Error): void {
    for (const { id, jws, resolve, reject } of entries) {
      this.entries.delete(id);
      this.chars -= jws.length;
      if (error === undefined) resolve();
      else reject(error);
    }
    this.since = performance.now();
  }

  /** Hands everything back. */
  clear(error: Error): void {
    this.settle([...this.entries.values()], error);
  }
}

function waiting(id: Uuid, jws: CompactJws): Waiting {
  let settle: Pick<Waiting, 'resolve' | 'reject'> | undefined;
  const done = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { id, jws, done, resolve: () => settle?.resolve(), reject: (error) => settle?.reject(error) };
}

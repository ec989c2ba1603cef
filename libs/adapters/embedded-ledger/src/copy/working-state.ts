import type { LedgerCopyStore, StateWrite } from '@portolan/domain';
import { keyText, type StateKey, type Value, type Values, type Write } from '@portolan/ledger-rules';
import { hexOf, sha256Hex, type Sha256 } from '@portolan/verify';
import { storedValue, valueOf } from './records.js';

const readAtOnce = 10_000;

/** The state while one block is executed: what the store held of the keys the block asks for, and on top what its transactions wrote. */
export class WorkingState {
  private readonly written = new Map<string, Uint8Array>();

  private constructor(
    private readonly base: ReadonlyMap<string, Uint8Array | undefined>,
    private readonly sha256: Sha256,
  ) {}

  /** Reads all keys that a block will ask for; `keys` are texts of the store. */
  static async load(store: LedgerCopyStore, keys: Iterable<string>, sha256: Sha256): Promise<WorkingState> {
    const distinct = [...new Set(keys)].sort();
    const base = new Map<string, Uint8Array | undefined>();
    for (let at = 0; at < distinct.length; at += readAtOnce) {
      const some = distinct.slice(at, at + readAtOnce);
      const values = await store.read(some);
      some.forEach((key, i) => base.set(key, values[i]));
    }
    return new WorkingState(base, sha256);
  }

  get(key: string): Uint8Array | undefined {
    return this.written.get(key) ?? this.base.get(key);
  }

  put(key: string, value: Uint8Array): void {
    this.written.set(key, value);
  }

  /** What a rule sees of `keys`. */
  values(keys: readonly StateKey[]): Values {
    const entries = keys.flatMap((key): [string, Value][] => {
      const stored = this.get(keyText(key));
      return stored === undefined ? [] : [[keyText(key), valueOf(key, stored)]];
    });
    return new Map(entries);
  }

  apply(writes: readonly Write[]): void {
    for (const write of writes) this.put(keyText(write.key), storedValue(write, this.sha256));
  }

  /** What the block wrote, by key. */
  writes(): StateWrite[] {
    return [...this.written].map(([key, value]) => ({ key, value })).sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  /**
   * State hash after this block: SHA-256 over the previous one, everything the block read and everything it wrote, by key.
   * A chain instead of a tree over the whole state: it costs nothing at rest, and a value altered behind the ledger's back
   * shows in the first block that reads it, since what was read is hashed too.
   */
  hash(previous: string): string {
    const line = (kind: string, key: string, value: Uint8Array | undefined): string =>
      `${kind} ${key} ${value === undefined ? '-' : hexOf(this.sha256(value))}`;
    const lines = [
      'portolan/state/v1',
      previous,
      ...[...this.base].map(([key, value]) => line('r', key, value)),
      ...this.writes().map(({ key, value }) => line('w', key, value)),
    ];
    return sha256Hex(lines.join('\n'), this.sha256);
  }
}

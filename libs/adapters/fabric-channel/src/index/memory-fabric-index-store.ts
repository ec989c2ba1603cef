import { FabricIndexStore, type FoundTx, type IndexedBlock, type RefusedAct, type StateWrite } from '@portolan/domain';

/** A notary's index in memory, for tests. `state` is open, so that a test can alter it. */
export class MemoryFabricIndexStore extends FabricIndexStore {
  private readonly chain: IndexedBlock[] = [];
  readonly state = new Map<string, Uint8Array>();
  private readonly refused = new Map<string, RefusedAct>();

  async append(block: IndexedBlock, writes: readonly StateWrite[]): Promise<boolean> {
    if (block.number !== this.chain.length) return false;
    this.chain.push(block);
    for (const { key, value } of writes) this.state.set(key, value);
    return true;
  }

  async newest(): Promise<Omit<IndexedBlock, 'transactions'> | undefined> {
    const newest = this.chain.at(-1);
    return newest && { number: newest.number, hash: newest.hash, time: newest.time };
  }

  async read(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]> {
    return keys.map((key) => this.state.get(key));
  }

  async startingWith(prefix: string, limit: number): Promise<readonly StateWrite[]> {
    const keys = [...this.state.keys()].filter((key) => key.startsWith(prefix)).sort((a, b) => (a < b ? -1 : 1));
    return keys.slice(0, limit).map((key) => ({ key, value: this.state.get(key) ?? new Uint8Array() }));
  }

  async blocks(from: number, limit: number): Promise<readonly IndexedBlock[]> {
    return this.chain.slice(from, from + limit);
  }

  async find(id: string): Promise<readonly FoundTx[]> {
    const all = this.chain.flatMap(({ number, transactions }) => transactions.map((tx) => ({ ...tx, block: number })));
    const found = all.filter((tx) => tx.id === id).reverse();
    return [...found.filter(({ valid }) => valid), ...found.filter(({ valid }) => !valid)].slice(0, 16);
  }

  async refuse(act: RefusedAct): Promise<void> {
    if (!this.refused.has(act.id)) this.refused.set(act.id, act);
  }

  async refusal(id: string): Promise<RefusedAct | undefined> {
    return this.refused.get(id);
  }

  async clear(): Promise<void> {
    this.chain.length = 0;
    this.state.clear();
  }
}

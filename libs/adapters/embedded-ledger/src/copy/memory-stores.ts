import {
  LedgerCopyStore,
  OrdererStore,
  type ExecutedBlock,
  type SignedBlock,
  type StateWrite,
  type StoredAttestation,
} from '@portolan/domain';

const same = (a: StoredAttestation, b: StoredAttestation): boolean => a.block === b.block && a.org === b.org && a.digest === b.digest;
const order = (a: StoredAttestation): string => `${String(a.block).padStart(12, '0')} ${a.org} ${a.digest}`;

/** A copy in memory, for tests. `state` is open, so that a test can alter it. */
export class MemoryLedgerCopyStore extends LedgerCopyStore {
  readonly chain: ExecutedBlock[] = [];
  readonly state = new Map<string, Uint8Array>();
  private readonly kept: StoredAttestation[] = [];
  private cursor = 0;

  async append(block: ExecutedBlock, writes: readonly StateWrite[]): Promise<boolean> {
    if (block.number !== this.chain.length) return false;
    this.chain.push(block);
    for (const { key, value } of writes) this.state.set(key, value);
    return true;
  }

  async height(): Promise<number> {
    return this.chain.length - 1;
  }

  async read(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]> {
    return keys.map((key) => this.state.get(key));
  }

  async blocks(from: number, limit: number): Promise<readonly ExecutedBlock[]> {
    return this.chain.slice(from, from + limit);
  }

  async find(id: string): Promise<{ block: number; index: number } | undefined> {
    for (const block of this.chain) {
      const index = block.transactions.findIndex((tx) => tx.id === id);
      if (index >= 0) return { block: block.number, index };
    }
    return undefined;
  }

  async keepAttestations(attestations: readonly StoredAttestation[], cursor: number): Promise<void> {
    for (const one of attestations) if (!this.kept.some((other) => same(one, other))) this.kept.push(one);
    this.cursor = cursor;
  }

  async attestationCursor(): Promise<number> {
    return this.cursor;
  }

  async attestations(from: number, to: number): Promise<readonly StoredAttestation[]> {
    const within = this.kept.filter(({ block }) => block >= from && block <= to);
    return within.sort((a, b) => (order(a) < order(b) ? -1 : 1));
  }
}

/** An orderer's rows in memory, for tests. It outlives the orderer that a test kills. */
export class MemoryOrdererStore extends OrdererStore {
  readonly chain: SignedBlock[] = [];
  private readonly ids = new Set<string>();
  private readonly list: (StoredAttestation & { readonly seq: number })[] = [];

  async append(block: SignedBlock): Promise<boolean> {
    if (block.number !== this.chain.length || block.transactions.some(({ id }) => this.ids.has(id))) return false;
    this.chain.push(block);
    for (const { id } of block.transactions) this.ids.add(id);
    return true;
  }

  async height(): Promise<number> {
    return this.chain.length - 1;
  }

  async blocks(from: number, limit: number): Promise<readonly SignedBlock[]> {
    return this.chain.slice(from, from + limit);
  }

  async ordered(ids: readonly string[]): Promise<readonly string[]> {
    return ids.filter((id) => this.ids.has(id));
  }

  async addAttestation(attestation: StoredAttestation): Promise<boolean> {
    if (this.list.some((other) => same(attestation, other))) return false;
    this.list.push({ ...attestation, seq: this.list.length + 1 });
    return true;
  }

  async attestationsAfter(seq: number, limit: number): Promise<readonly (StoredAttestation & { readonly seq: number })[]> {
    return this.list.filter((one) => one.seq > seq).slice(0, limit);
  }

  async countAttestations(block: number, org: string): Promise<number> {
    return this.list.filter((one) => one.block === block && one.org === org).length;
  }
}

import { errors, type Adapter, type AdapterFactory, type AdapterPayload } from 'oidc-provider';

/** Most entries of one kind that are kept; the oldest go first. */
const MAX_ENTRIES = 5_000;

interface Entry {
  readonly payload: AdapterPayload;
  readonly expiresAt: number;
}

/**
 * The provider's state in memory, bounded in number and in time, one shelf a kind: a flood of logins that nobody finishes
 * cannot push out what remembers used client assertions. Lost at the end of the process, as a demonstration's should be.
 */
export function memoryStore(now: () => number = Date.now): AdapterFactory {
  const shelves = new Map<string, Shelf>();
  return (kind) => {
    const shelf = shelves.get(kind) ?? new Shelf(kind, shelves, now);
    shelves.set(kind, shelf);
    return shelf;
  };
}

class Shelf implements Adapter {
  private readonly entries = new Map<string, Entry>();

  constructor(
    private readonly kind: string,
    private readonly shelves: ReadonlyMap<string, Shelf>,
    private readonly now: () => number,
  ) {}

  async upsert(id: string, payload: AdapterPayload, expiresIn?: number): Promise<void> {
    if (this.kind === 'ReplayDetection') this.refuseReplay(id);
    this.entries.delete(id);
    this.makeRoom();
    this.entries.set(id, { payload, expiresAt: expiresIn === undefined ? Infinity : this.now() + expiresIn * 1000 });
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    return this.live(id);
  }

  async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return this.search((payload) => payload.uid === uid);
  }

  async findByUserCode(userCode: string): Promise<AdapterPayload | undefined> {
    return this.search((payload) => payload.userCode === userCode);
  }

  async consume(id: string): Promise<void> {
    const entry = this.entries.get(id);
    if (entry) this.entries.set(id, { ...entry, payload: { ...entry.payload, consumed: Math.floor(this.now() / 1000) } });
  }

  async destroy(id: string): Promise<void> {
    this.entries.delete(id);
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    for (const shelf of this.shelves.values()) shelf.forgetGrant(grantId);
  }

  private forgetGrant(grantId: string): void {
    for (const [id, { payload }] of this.entries) if (payload.grantId === grantId) this.entries.delete(id);
  }

  /** The provider looks first and stores later; of two equal assertions at the same time only one may come through here. */
  private refuseReplay(id: string): void {
    if (this.live(id) !== undefined) throw new errors.InvalidClientAuth('client assertion tokens must only be used once');
  }

  private live(id: string): AdapterPayload | undefined {
    const entry = this.entries.get(id);
    if (entry === undefined || entry.expiresAt > this.now()) return entry?.payload;
    this.entries.delete(id);
    return undefined;
  }

  private search(wanted: (payload: AdapterPayload) => boolean): AdapterPayload | undefined {
    for (const [id, { payload }] of this.entries) if (wanted(payload) && this.live(id) !== undefined) return payload;
    return undefined;
  }

  private makeRoom(): void {
    if (this.entries.size < MAX_ENTRIES) return;
    for (const id of [...this.entries.keys()]) this.live(id);
    // To forget a used assertion would let it be used again: rather refuse for a while.
    if (this.entries.size >= MAX_ENTRIES && this.kind === 'ReplayDetection') throw new errors.TemporarilyUnavailable();
    for (const id of this.entries.keys()) {
      if (this.entries.size < MAX_ENTRIES) return;
      this.entries.delete(id);
    }
  }
}

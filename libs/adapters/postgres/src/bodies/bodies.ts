import { PortolanError, type Uuid } from '@portolan/contracts';
import type { DataKeys, KeyId } from '@portolan/domain';
import type { Schema } from '../connect/role-data-source.js';
import type { Sql } from '../connect/sql.js';

/** Where a body stands: table and row id. Bound to its ciphertext, which is therefore worth nothing in another row. */
export interface Place {
  readonly table: string;
  readonly id: string;
}

/**
 * Encrypts bodies before they touch a column and decrypts them after, under the data keys of `data_key` in one schema (design,
 * invariant 10). Lives as long as one transaction, and remembers that transaction's wrapped keys.
 */
export class Bodies {
  private readonly wrapped = new Map<KeyId, Uint8Array | undefined>();
  /** Those whose rows this transaction has locked. */
  private readonly locked = new Map<KeyId, Uint8Array>();

  constructor(
    private readonly sql: Sql,
    private readonly keys: DataKeys,
    /** Whose keys: its own schema's, but the exchange reads records under the edge's. */
    private readonly schema: Schema,
  ) {}

  /**
   * Ciphertext of `plaintext`. The key's row stays locked until the transaction ends, so that an erasure comes wholly before this
   * write (which then throws `store.key-destroyed`) or wholly after it.
   */
  async seal(key: KeyId, plaintext: Uint8Array, place: Place): Promise<Uint8Array> {
    const wrapped = this.locked.get(key) ?? (await this.lock(key));
    if (wrapped === undefined) throw new PortolanError('store.key-destroyed', this.context(place));
    return this.keys.encrypt(wrapped, plaintext, this.context(place));
  }

  async sealText(key: KeyId, text: string, place: Place): Promise<Uint8Array> {
    return this.seal(key, new TextEncoder().encode(text), place);
  }

  /** JSON text of `value`; undefined becomes null. */
  async sealJson(key: KeyId, value: unknown, place: Place): Promise<Uint8Array> {
    return this.sealText(key, JSON.stringify(value ?? null), place);
  }

  /** The plaintext; undefined where there is no ciphertext, or its key is destroyed. Throws `keys.undecryptable`. */
  async open(key: KeyId, ciphertext: Uint8Array | null, place: Place): Promise<Uint8Array | undefined> {
    if (ciphertext === null) return undefined;
    if (!this.wrapped.has(key)) await this.load([key]);
    const wrapped = this.wrapped.get(key);
    return wrapped && this.keys.decrypt(wrapped, ciphertext, this.context(place));
  }

  async openText(key: KeyId, ciphertext: Uint8Array | null, place: Place): Promise<string | undefined> {
    const plain = await this.open(key, ciphertext, place);
    return plain && new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(plain);
  }

  async openJson(key: KeyId, ciphertext: Uint8Array | null, place: Place): Promise<unknown> {
    const text = await this.openText(key, ciphertext, place);
    return text === undefined ? undefined : JSON.parse(text);
  }

  /** Fetches the keys of a list in one query. */
  async load(keys: readonly KeyId[]): Promise<void> {
    const wanted = [...new Set(keys)].filter((key) => !this.wrapped.has(key));
    if (wanted.length === 0) return;
    const rows = await this.sql.rows<{ id: Uuid; wrapped: Uint8Array }>(
      `SELECT id, wrapped FROM ${this.schema}.data_key WHERE id = ANY ($1::uuid[]) AND wrapped IS NOT NULL`,
      [wanted],
    );
    const found = new Map(rows.map(({ id, wrapped }) => [id, wrapped]));
    // Only now: another load of the same transaction must not take a key that is still being fetched for a destroyed one.
    for (const key of wanted) this.wrapped.set(key, found.get(key));
  }

  /** A key as the row of what it protects came with it; null where it is destroyed. */
  know(key: KeyId, wrapped: Uint8Array | null): void {
    if (!this.wrapped.has(key)) this.wrapped.set(key, wrapped ?? undefined);
  }

  /** A key that nobody can destroy before this transaction ends: its row is locked, or its person's, or nobody else can see it yet. */
  hold(key: KeyId, wrapped: Uint8Array): void {
    this.locked.set(key, wrapped);
    this.wrapped.set(key, wrapped);
  }

  /** After keys were destroyed in this transaction. */
  forget(): void {
    this.wrapped.clear();
    this.locked.clear();
  }

  private async lock(key: KeyId): Promise<Uint8Array | undefined> {
    const row = await this.sql.first<{ wrapped: Uint8Array | null }>(
      `SELECT wrapped FROM ${this.schema}.data_key WHERE id = $1 FOR SHARE`,
      [key],
    );
    if (row?.wrapped == null) return undefined;
    this.hold(key, row.wrapped);
    return row.wrapped;
  }

  private context({ table, id }: Place): string {
    return `${this.schema}.${table}:${id}`;
  }
}

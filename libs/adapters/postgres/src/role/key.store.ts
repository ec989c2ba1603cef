import { randomUUID } from 'node:crypto';
import { PortolanError } from '@portolan/contracts';
import type { DataKeys, ErasureRegister, KeyId, KeyStore, PersonId } from '@portolan/domain';
import type { Bodies } from '../bodies/bodies.js';
import type { Sql } from '../connect/sql.js';

const NEW_KEY = { text: 'INSERT INTO data_key (id, wrapped) SELECT * FROM unnest($1::uuid[], $2::bytea[])', first: true };

/**
 * Data keys of one schema. Every write on a person's behalf holds a share of her `key_owner` row until it commits; an erasure takes
 * the row whole. So an erasure waits for the writes before it, and the writes after it are refused.
 */
export class PostgresKeyStore implements KeyStore {
  constructor(
    private readonly sql: Sql,
    private readonly bodies: Bodies,
    private readonly keys: DataKeys,
    private readonly erasures?: ErasureRegister,
  ) {}

  async forPerson(person: PersonId): Promise<KeyId> {
    const known = await this.own(person);
    if (known !== undefined) return known;
    const wrapped = await this.keys.create();
    const made = await this.sql.first<{ id: KeyId }>(
      `INSERT INTO data_key (id, wrapped, person, main) VALUES ($1, $2, $3, true)
       ON CONFLICT (person) WHERE main DO NOTHING RETURNING id`,
      [randomUUID(), wrapped, person],
    );
    if (made !== undefined) this.bodies.hold(made.id, wrapped);
    const id = made?.id ?? (await this.own(person));
    if (id === undefined) throw new PortolanError('store.conflict', 'data_key');
    return id;
  }

  async create(): Promise<KeyId> {
    const [id, wrapped] = [randomUUID(), await this.keys.create()];
    await this.sql.laterRow(NEW_KEY, [id, wrapped]);
    this.bodies.hold(id, wrapped);
    return id;
  }

  /** Throws `store.conflict` where the key is another person's, destroyed or unknown. */
  async assign(key: KeyId, person: PersonId): Promise<void> {
    await this.own(person);
    const assigned = await this.sql.affected(
      'UPDATE data_key SET person = $2 WHERE id = $1 AND wrapped IS NOT NULL AND (person IS NULL OR person = $2)',
      [key, person],
    );
    if (assigned === 0) throw new PortolanError('store.conflict', 'data_key');
  }

  async destroy(key: KeyId): Promise<void> {
    await this.sql.later('UPDATE data_key SET wrapped = NULL, destroyed_at = now() WHERE id = $1 AND wrapped IS NOT NULL', [key]);
    this.bodies.forget();
  }

  async erase(person: PersonId): Promise<void> {
    await this.erasures?.note(person);
    await this.sql.later(
      `INSERT INTO key_owner AS o (person, erased_at) VALUES ($1, now())
       ON CONFLICT (person) DO UPDATE SET erased_at = coalesce(o.erased_at, excluded.erased_at)`,
      [person],
    );
    await this.sql.later('UPDATE data_key SET wrapped = NULL, destroyed_at = now() WHERE person = $1 AND wrapped IS NOT NULL', [person]);
    this.bodies.forget();
  }

  /** Holds her row, and answers with her key if she has one: an erasure, which takes the row whole, waits for us. */
  private async own(person: PersonId): Promise<KeyId | undefined> {
    const share = `SELECT o.erased_at, k.id, k.wrapped FROM key_owner o LEFT JOIN data_key k ON k.person = o.person AND k.main
      WHERE o.person = $1 FOR SHARE OF o`;
    let owner = await this.sql.first<Owner>(share, [person]);
    if (owner === undefined) {
      await this.sql.later('INSERT INTO key_owner (person) VALUES ($1) ON CONFLICT DO NOTHING', [person]);
      owner = await this.sql.first<Owner>(share, [person]);
    }
    if (owner?.erased_at != null) throw new PortolanError('store.person-erased', 'data_key');
    if (owner?.id == null) return undefined;
    if (owner.wrapped !== null) this.bodies.hold(owner.id, owner.wrapped);
    return owner.id;
  }
}

interface Owner {
  readonly erased_at: Date | null;
  readonly id: KeyId | null;
  readonly wrapped: Uint8Array | null;
}

import type { Instant, Uuid } from '@portolan/contracts';
import type { StatementMark } from '../access/token.port.js';
import type { PersonId } from '../kernel/ids.js';
import type { Role } from '../kernel/role.js';

/** Id of a stored data key (libs/domain/src/keys: DataKeys). Every encrypted body names one. */
export type KeyId = Uuid;

/**
 * The data keys of one schema (design, invariant 10). A key belongs to a person, to a message until it is matched, or to a view
 * while it lasts. Once destroyed, what it protects reads as `undefined`, and writing under it throws `store.key-destroyed`.
 */
export interface KeyStore {
  /** The person's key in this schema, made on first use. Throws `store.person-erased` after erasure. */
  forPerson(person: PersonId): Promise<KeyId>;
  /** A key that belongs to nobody yet. */
  create(): Promise<KeyId>;
  /** Gives an unowned key to the person whom its message turned out to be about. Throws `store.conflict` where it is another's. */
  assign(key: KeyId, person: PersonId): Promise<void>;
  destroy(key: KeyId): Promise<void>;
  /** Destroys every key of a person in this schema; the person can get no new one. */
  erase(person: PersonId): Promise<void>;
}

/**
 * The persons erased in one role, kept outside of its database: a backup from before an erasure holds her keys and index again, and a
 * role that is started on it erases her anew before it serves. Written before the erasure is, so it may name one that did not come
 * about: she is erased then at the next start.
 */
export abstract class ErasureRegister {
  abstract note(person: PersonId): Promise<void>;
  abstract all(): Promise<readonly PersonId[]>;
}

/** A command or event for another role of the same node. The broker carries id and type alone; the body is fetched from here. */
export interface OutboxMessage {
  readonly id: Uuid;
  readonly to: Role;
  readonly type: string;
  /** Person-free; messages of one key to one role are delivered in the order they were written. */
  readonly key: string;
  readonly keyId: KeyId;
  /** JSON. */
  readonly body: unknown;
}

export interface OutboxStore {
  add(message: OutboxMessage): Promise<void>;
  /** The body as it was added, also after delivery while its row is kept; undefined for an unknown id or a destroyed key. Throws when `to` is not the asker. */
  body(id: Uuid, asker: Role): Promise<unknown>;
  /** Bodies of several, of one asker. Without those that are unknown or whose key is destroyed, and those that are not addressed to it. */
  bodies(ids: readonly Uuid[], asker: Role): Promise<ReadonlyMap<Uuid, unknown>>;
  /** Undelivered messages whose time has come, oldest first, one per recipient and key, taken with SKIP LOCKED for `leaseMs`. */
  take(limit: number, leaseMs: number): Promise<readonly { id: Uuid; to: Role; type: string; attempts: number }[]>;
  delivered(...ids: readonly Uuid[]): Promise<void>;
  /**
   * Tries again after `delayMs`. Where its recipient answered and `refused` it, that counts: after `maxRefusals` the message is dead and
   * shows in doctor. One that reached nobody is tried for ever.
   */
  failed(id: Uuid, delayMs: number, code: string, refused: boolean): Promise<void>;
  /** Dead messages, oldest first. Later ones of their key go on without them. */
  dead(limit: number): Promise<readonly { id: Uuid; to: Role; type: string; code: string }[]>;
  /** Gives a dead message its attempts back; false where there is no such one. */
  revive(id: Uuid): Promise<boolean>;
  /** Which of these messages to `asker` may still be delivered, once more or at all: waiting or dead. */
  undelivered(ids: readonly Uuid[], asker: Role): Promise<readonly Uuid[]>;
  /** Removes delivered messages older than this, at most `limit`, oldest first; answers with how many. Lease `retention`. */
  purge(olderThanMs: number, limit: number, fencing: number): Promise<number>;
}

/** What was received already: a handler runs in the transaction that notes its message. */
export interface InboxStore {
  /** True the first time this id is noted, false as long as it is kept. */
  first(id: Uuid): Promise<boolean>;
  /** Those of these ids that were noted for the first time now. */
  firstOf(ids: readonly Uuid[]): Promise<ReadonlySet<Uuid>>;
  /** Ids noted longer ago than this, oldest first, behind `after`. */
  old(olderThanMs: number, limit: number, after?: NotedId): Promise<readonly NotedId[]>;
  /** Forgets these: what bears one of them would be handled again. Lease `retention`. */
  forget(ids: readonly Uuid[], fencing: number): Promise<void>;
}

/** An id in an inbox, and when it was noted. */
export interface NotedId {
  readonly id: Uuid;
  readonly at: Instant;
}

/** Statements about the acting professional that an act was done under; kept while they could come again. */
export interface StatementStore {
  /** True the first time this statement is noted, false until it ended. Of two transactions that note it at once one waits for the other. */
  first(statement: StatementMark): Promise<boolean>;
}

/** An audit event as its row is written (IHE BALP AuditEvent as JSON text, encrypted; the log hashes the ciphertext). */
export interface AuditRow {
  readonly id: Uuid;
  readonly at: Instant;
  /** Catalogue name of the audited act, docs/audit-events.md. */
  readonly type: string;
  readonly outcome: 'success' | 'refused' | 'failed';
  /** Undefined while no person is known; then the key is the message's. */
  readonly person: PersonId | undefined;
  readonly transferId: Uuid | undefined;
  readonly keyId: KeyId;
  readonly body: string;
}

export interface AuditStore {
  /** Appends the row and answers with the RFC 6962 leaf hash (hex) of its ciphertext. Rows are never updated or deleted. */
  append(row: AuditRow): Promise<{ leafHash: string }>;
  /** Newest first, at most `limit`, before `beforeSeq` where given. Bodies of erased persons are undefined. */
  list(
    filter: AuditFilter,
    limit: number,
    beforeSeq?: string,
  ): Promise<readonly (Omit<AuditRow, 'body' | 'keyId'> & { seq: string; body: string | undefined; leafHash: string })[]>;
}

export interface AuditFilter {
  readonly person?: PersonId;
  readonly transferId?: Uuid;
  readonly type?: string;
}

/** What every role's transaction offers. */
export interface RoleTx {
  readonly keys: KeyStore;
  readonly outbox: OutboxStore;
  readonly inbox: InboxStore;
  readonly audit: AuditStore;
}

/** One database transaction of a role: everything in `work` commits together or not at all. Serialization failures are retried. */
export abstract class UnitOfWork<Tx extends RoleTx> {
  abstract run<T>(work: (tx: Tx) => Promise<T>): Promise<T>;

  /**
   * Work whose statements stand each for itself, most often one: nothing binds them together, so none waits for a beginning and an end. Where it throws,
   * those before may stand: for what may be done again, as a look, a lease or a mark.
   */
  alone<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.run(work);
  }
}

/** The single writers: of batches and their steps, of the log and its heads, of the trail; and who removes rows that have served. */
export type LeaseName = 'batcher' | 'sequencer' | 'indexer' | 'retention';

/** Single-writer leases: the fencing number goes into each write and only grows. A write under an older one throws `store.fenced`. */
export abstract class Leases {
  /** The fencing number where this holder has the lease now (taken or renewed), undefined where another has it. */
  abstract acquire(name: LeaseName, holder: string, ttlMs: number): Promise<number | undefined>;
  abstract release(name: LeaseName, holder: string): Promise<void>;
}

/** What the stores notify when a transaction commits that wrote there. */
export type WakeupChannel = 'outbox' | 'transfers' | 'incoming' | 'outgoing' | 'acts' | 'steps' | 'log' | 'feed';

/** Wakes loops early: rows were committed under `channel` (PostgreSQL NOTIFY). Loops poll besides, so a lost wake-up costs a delay. */
export abstract class Wakeups {
  abstract wait(channel: string, timeoutMs: number): Promise<void>;
  abstract notify(channel: string): Promise<void>;
  /** Whoever waits here looks now: what it was told so far it will see, and only what comes from here on ends its next wait. */
  heard(_channel: string): void {
    return;
  }
}

import type { CountryCode, Instant, Uuid } from '@portolan/contracts';
import type { PersonId, TransferId } from '../kernel/ids.js';
import type { KeyId, RoleTx, StatementStore } from './role-tx.port.js';

/**
 * As `dueAt`: at once, by the clock of the store, which also decides what is due. The node's own clock may be minutes off, and what it
 * called "now" would then wait as long after it was put right.
 */
export const DUE_NOW: Instant = 'now';

/** A transfer as the exchange drives it: one row a transfer and side; `state` is the pipeline's (libs/domain/src/transfer). */
export interface ExchangeTransfer<State extends string = string> {
  readonly transferId: TransferId;
  readonly side: 'asker' | 'custodian';
  readonly kind: 'match' | 'record';
  readonly partner: CountryCode;
  readonly state: State;
  readonly permitId: Uuid | undefined;
  readonly person: PersonId | undefined;
  readonly keyId: KeyId;
  /** JSON gathered on the way; encrypted. Reads as `{}` once its key is destroyed. */
  readonly data: Record<string, unknown>;
  /** Until when the record may be opened. */
  readonly limit: Instant;
  /** Not to be worked on before; `DUE_NOW` where it is written. */
  readonly dueAt: Instant;
  readonly attempts: number;
  readonly createdAt: Instant;
}

export interface ExchangeTransferStore<State extends string = string> {
  /** False where the transfer was there already. */
  create(transfer: ExchangeTransfer<State>): Promise<boolean>;
  get(id: TransferId): Promise<ExchangeTransfer<State> | undefined>;
  /** Transfers in one of `states` that are due, claimed for `leaseMs` with SKIP LOCKED. */
  take(states: readonly State[], limit: number, leaseMs: number): Promise<readonly ExchangeTransfer<State>[]>;
  /** Locks these rows until the transaction ends, all at once: what is asked of one of them next, up to its `advance`, is asked of nobody. */
  hold(ids: readonly TransferId[]): Promise<void>;
  /** Compare-and-set on the state; merges `data`. False where the row stands elsewhere already. Resets attempts and claim. */
  advance(
    id: TransferId,
    from: State,
    to: State,
    change: { data?: Record<string, unknown>; permitId?: Uuid; person?: PersonId; keyId?: KeyId; limit?: Instant; dueAt?: Instant },
  ): Promise<boolean>;
  /** Gives a row back after a failed or waiting step: again after `delayMs`. */
  postpone(id: TransferId, delayMs: number, code: string): Promise<void>;
  byPermit(permitId: Uuid): Promise<readonly ExchangeTransfer<State>[]>;
  list(filter: { state?: State; partner?: CountryCode }, limit: number): Promise<readonly ExchangeTransfer<State>[]>;
}

/** An envelope part that a partner wrote into our inbox: exact bytes. */
export interface IncomingEnvelope {
  readonly seq: string;
  readonly from: CountryCode;
  readonly id: string;
  readonly key: string;
  readonly body: Uint8Array;
}

export interface IncomingStore {
  /** Appends to the partner's partition; false where (from, id) was there already. */
  append(from: CountryCode, message: { id: string; key: string; body: Uint8Array }): Promise<boolean>;
  take(limit: number, leaseMs: number): Promise<readonly (IncomingEnvelope & { attempts: number })[]>;
  done(seq: string): Promise<void>;
  retry(seq: string, delayMs: number, code: string): Promise<void>;
  /** Cannot be used, ever: kept with its original, shown by doctor, replayable. */
  dead(seq: string, code: string): Promise<void>;
  deadLetters(limit: number): Promise<readonly { seq: string; from: CountryCode; id: string; code: string; at: Instant }[]>;
  /** False where there is no such dead letter. */
  revive(seq: string): Promise<boolean>;
  /** Removes messages done with longer ago than this, at most `limit`; their ids are then known no more. Lease `retention`. */
  purge(olderThanMs: number, limit: number, fencing: number): Promise<number>;
}

export interface OutgoingEnvelope {
  readonly id: string;
  readonly to: CountryCode;
  readonly key: string;
  readonly body: Uint8Array;
  /** Not before: the one negative answer leaves at a fixed time after the request (design, invariant 8). */
  readonly notBefore: Instant;
  /** When what it is for is over: then it lapses unsent. Without, it is tried until it is sent. */
  readonly until?: Instant | undefined;
}

/** How much of what waits is taken at once. */
export interface OutgoingShare {
  readonly envelopes: number;
  /** Of bodies; the one that goes beyond it is the last. No bound where absent. */
  readonly bytes?: number;
  /** Partners that have enough under way: theirs stay where they are. */
  readonly except?: readonly CountryCode[];
}

/** An envelope that did not leave, and when it is tried again. `refused`: its partner answered, and did not take it. */
export interface OutgoingFailure {
  readonly id: string;
  readonly delayMs: number;
  readonly code: string;
  readonly refused: boolean;
}

export interface OutgoingStore {
  add(envelope: OutgoingEnvelope): Promise<void>;
  /** The oldest waiting envelope of each partner and key whose time has come, taken with SKIP LOCKED for `leaseMs`. */
  take(most: OutgoingShare, leaseMs: number): Promise<readonly (OutgoingEnvelope & { attempts: number })[]>;
  sent(ids: readonly string[]): Promise<void>;
  /** As of an outbox: only refusals count, and after `maxRefusals` an envelope is dead. */
  failed(failures: readonly OutgoingFailure[]): Promise<void>;
  /** Dead envelopes, oldest first. Later ones of their key go on without them. */
  dead(limit: number): Promise<readonly { id: string; to: CountryCode; code: string }[]>;
  /** Gives a dead envelope its attempts back; false where there is no such one. */
  revive(id: string): Promise<boolean>;
  /** Removes what was sent or lapsed, and whose time has passed, longer ago than this, at most `limit`. Lease `retention`. */
  purge(olderThanMs: number, limit: number, fencing: number): Promise<number>;
  /** Sends again what had been sent: the sender keeps and resends until a final step stands. */
  resend(key: string): Promise<void>;
}

/** What the person said, or the law grants or forbids; consents by version, never overwritten. */
export interface ConsentRow {
  readonly id: Uuid;
  readonly version: number;
  readonly person: PersonId;
  readonly state: 'live' | 'withdrawn' | 'replaced';
  readonly keyId: KeyId;
  /** JSON text of the consent's content, exact: its salted commitment is anchored. */
  readonly text: string;
  readonly at: Instant;
}

export interface RestrictionRow {
  readonly id: Uuid;
  readonly person: PersonId;
  readonly state: 'live' | 'lifted';
  readonly keyId: KeyId;
  /** JSON text: opt-out or restriction with its scope. */
  readonly text: string;
  readonly at: Instant;
}

export interface GroundStore {
  putConsent(row: ConsentRow): Promise<void>;
  consents(person: PersonId): Promise<readonly ConsentRow[]>;
  endConsent(id: Uuid, state: 'withdrawn' | 'replaced', at: Instant): Promise<boolean>;
  putRestriction(row: RestrictionRow): Promise<void>;
  restrictions(person: PersonId): Promise<readonly RestrictionRow[]>;
  liftRestriction(id: Uuid, at: Instant): Promise<boolean>;
}

/** A permit this country granted; its opening is the exact text that the anchored commitment covers. */
export interface PermitRow {
  readonly id: Uuid;
  readonly transferId: TransferId;
  readonly person: PersonId;
  readonly recipient: CountryCode;
  readonly purpose: string;
  readonly until: Instant;
  readonly state: 'granted' | 'anchored' | 'ended';
  readonly keyId: KeyId;
  /** Undefined once its key is destroyed; always given to `put`. */
  readonly opening: string | undefined;
  readonly consentId: Uuid | undefined;
}

export interface PermitStore {
  put(row: PermitRow): Promise<void>;
  get(id: Uuid): Promise<PermitRow | undefined>;
  ofPerson(person: PersonId): Promise<readonly PermitRow[]>;
  mark(id: Uuid, state: PermitRow['state']): Promise<void>;
}

/** An emergency that this country declared; its review falls due without anybody asking. */
export interface EmergencyRow {
  readonly id: Uuid;
  readonly custodian: CountryCode;
  readonly declared: Instant;
  readonly until: Instant;
  readonly reviewDue: Instant;
  readonly state: 'declared' | 'ended' | 'reviewed';
  readonly keyId: KeyId;
  /** Exact text that the anchored commitment covers: salt, reason, actor. */
  readonly text: string;
}

export interface EmergencyStore {
  /** False where it was there already. */
  declare(row: EmergencyRow): Promise<boolean>;
  get(id: Uuid): Promise<EmergencyRow | undefined>;
  /** False unless it was declared and had not ended. */
  end(id: Uuid): Promise<boolean>;
  /** `text`: what the review's commitment covers. False unless it had ended and was not reviewed. */
  review(id: Uuid, text: string): Promise<boolean>;
  /** Declared ones past their limit, which have to be ended. */
  overAt(now: Instant, limit: number): Promise<readonly EmergencyRow[]>;
  /** Ended, or past their limit, and not reviewed; those due first come first. */
  unreviewed(now: Instant, limit: number): Promise<readonly EmergencyRow[]>;
}

/** The exchange's transaction. */
export interface ExchangeTx extends RoleTx {
  readonly statements: StatementStore;
  readonly transfers: ExchangeTransferStore;
  readonly incoming: IncomingStore;
  readonly outgoing: OutgoingStore;
  readonly grounds: GroundStore;
  readonly permits: PermitStore;
  readonly emergencies: EmergencyStore;
}

import type { CountryCode, ErrorCode, Instant, Kid, OrgId, Sha256, Uuid } from '@portolan/contracts';
import type { RoleTx } from './role-tx.port.js';

/** A single act for the channel (permit, permit end, consent, emergency …) on its way to a block. */
export interface ActRow {
  readonly id: Uuid;
  readonly fn: string;
  readonly args: unknown;
  readonly state: 'pending' | 'submitted' | 'committed' | 'invalid';
  /** Registry code of an invalid act. */
  readonly code: string | undefined;
  readonly attempts: number;
  /** The transaction in which it goes with others; absent: one of its own, under its own id. */
  readonly bundle?: Uuid;
}

export interface ActStore {
  /** Idempotent by id. */
  add(id: Uuid, fn: string, args: unknown): Promise<void>;
  /** Acts that are not settled and whose time has come, oldest first, claimed for `leaseMs`: those submitted come again to be asked for. */
  take(limit: number, leaseMs: number): Promise<readonly ActRow[]>;
  /** From now on these go together, in the transaction `bundle`: those of them that nobody took a second time, and no other bundle has. */
  bundle(ids: readonly Uuid[], bundle: Uuid): Promise<void>;
  /** Those that go together, oldest first: the same whenever asked. */
  ofBundle(bundle: Uuid): Promise<readonly ActRow[]>;
  /** The transaction was refused: each goes by itself, at once. */
  separate(bundle: Uuid): Promise<void>;
  submitted(id: Uuid): Promise<void>;
  settle(id: Uuid, state: 'committed' | 'invalid', code?: string): Promise<void>;
  postpone(id: Uuid, delayMs: number, code: string): Promise<void>;
  get(id: Uuid): Promise<ActRow | undefined>;
}

/** Which step of a transfer: each is one of its kind, but for adoptions, each of which is an act with an id of its own. */
export interface StepName {
  readonly transferId: Uuid;
  readonly step: string;
  /** Id of the adoption. */
  readonly act?: Uuid | undefined;
}

/** A transfer step waiting for its batch. `leaf` is canonical JSON text; exactly this is hashed. */
export interface StepRow extends StepName {
  readonly leaf: string;
  /** JSON for the rule: predecessor's leaf, batch and path; undefined for `released`. */
  readonly evidence: unknown;
  readonly state: 'pending' | 'batched' | 'accepted' | 'rejected';
  readonly batch: number | undefined;
  /** Place among its batch's accepted steps: the Merkle path counts from it. */
  readonly index: number | undefined;
  readonly code: string | undefined;
}

/** All that decides about steps is written under the lease `batcher`; `fencing` is its number. */
export interface StepStore {
  /** False where this step of this transfer was there already: one anchor a step. */
  add(step: StepName & { leaf: string; evidence: unknown }): Promise<boolean>;
  /** Steps whose time has come, oldest first. */
  pending(limit: number): Promise<readonly StepRow[]>;
  /** Puts pending steps into batch n in the order given; their composition is fixed before the batch is submitted.
   *  Throws `store.conflict` where one of them is not pending. */
  batch(n: number, steps: readonly StepName[], fencing: number): Promise<void>;
  /** In the order given to `batch`. */
  ofBatch(n: number): Promise<readonly StepRow[]>;
  accept(step: StepName, index: number, fencing: number): Promise<void>;
  reject(step: StepName, code: string, fencing: number): Promise<void>;
  /** Back to pending: the predecessor was not visible yet, or the batch was halved. */
  again(step: StepName, delayMs: number, fencing: number): Promise<void>;
  get(step: StepName): Promise<StepRow | undefined>;
  /** Late steps that happened before this moment and do not stand on the channel, longest missing first. */
  missing(before: Instant, limit: number): Promise<readonly MissingStep[]>;
}

/** A step signed in an emergency that the channel does not show. */
export interface MissingStep {
  readonly transferId: Uuid;
  readonly step: string;
  /** When it happened, as its leaf says. */
  readonly time: Instant;
  /** The registry code for which the channel refused it; undefined while it is still awaited. */
  readonly code: string | undefined;
}

export interface BatchRow {
  readonly n: number;
  readonly txId: Uuid;
  readonly args: unknown;
  readonly state: 'open' | 'committed' | 'invalid';
  /** Head that repeats this batch's root, once there is one. */
  readonly head: number | undefined;
}

export interface BatchStore {
  /** Number of the newest batch that is open or committed (they count from 0), undefined before the first. An invalid batch leaves its number free. */
  last(): Promise<number | undefined>;
  /** Replaces an invalid batch of the same number, else throws `store.conflict`. Lease `batcher`. */
  put(batch: { n: number; txId: Uuid; args: unknown }, fencing: number): Promise<void>;
  open(): Promise<BatchRow | undefined>;
  /** What became of the open batch of this number that this transaction carried; throws `store.conflict` where that is not the open one. Lease `batcher`. */
  settle(batch: { n: number; txId: Uuid }, state: 'committed' | 'invalid', fencing: number): Promise<void>;
  get(n: number): Promise<BatchRow | undefined>;
  /** Committed batches that no head repeats yet, in order. */
  headless(limit: number): Promise<readonly BatchRow[]>;
  assignHead(from: number, to: number, head: number): Promise<void>;
}

export interface HeadRow {
  readonly seq: number;
  readonly txId: Uuid;
  readonly args: unknown;
  readonly size: number;
  readonly root: Sha256;
  readonly state: 'open' | 'committed' | 'invalid';
}

export interface HeadStore {
  /** The newest head that is open or committed; an invalid one leaves its number free. */
  last(): Promise<HeadRow | undefined>;
  get(seq: number): Promise<HeadRow | undefined>;
  /** Replaces an invalid head of the same number, else throws `store.conflict`. Lease `sequencer`. */
  put(head: { seq: number; txId: Uuid; args: unknown; size: number; root: Sha256 }, fencing: number): Promise<void>;
  /** As of a batch. Lease `sequencer`. */
  settle(head: { seq: number; txId: Uuid }, state: 'committed' | 'invalid', fencing: number): Promise<void>;
}

/** The country's Merkle log (RFC 6962): leaves in order, perfect subtrees' hashes by level and index. */
export interface LogStore {
  /** Queues an event's leaf hash; idempotent by event id. */
  enqueue(eventId: Uuid, leafHash: Sha256): Promise<void>;
  queued(limit: number): Promise<readonly { eventId: Uuid; leafHash: Sha256 }[]>;
  size(): Promise<number>;
  /** Appends the next leaves; `store.conflict` where `index` is not the log's size. Lease `sequencer`. */
  append(index: number, leaves: readonly { eventId: Uuid; leafHash: Sha256 }[], fencing: number): Promise<void>;
  putNodes(nodes: readonly { level: number; index: number; hash: Sha256 }[]): Promise<void>;
  nodes(wanted: readonly { level: number; index: number }[]): Promise<readonly (Sha256 | undefined)[]>;
  indexOf(eventId: Uuid): Promise<number | undefined>;
}

/** One line of the regulator's trail: a transfer step as it stands on the channel. */
export interface TrailStep {
  readonly block: number;
  readonly position: number;
  readonly at: Instant;
  readonly org: OrgId;
  readonly transferId: Uuid;
  readonly step: string;
  readonly from: CountryCode;
  readonly to: CountryCode;
  readonly permitId: Uuid | undefined;
  readonly purpose: string | undefined;
  readonly reason: string | undefined;
  readonly late: boolean;
  readonly batch: number;
  readonly index: number;
  readonly leaf: string;
  /** Why it does not count: of releases and of ends of one transfer the first in ledger order does, and this one came after it. */
  readonly alarm?: RepeatedStep | undefined;
}

/** What a party has proved against itself by anchoring it a second time. */
export type RepeatedStep = Extract<ErrorCode, 'ledger.release-repeated' | 'ledger.end-repeated'>;

/** Steps that end a transfer: one of them counts. */
export const endSteps: readonly string[] = ['received', 'refused', 'expired'];

export interface TrailFilter {
  /** Sender or receiver. */
  readonly country?: CountryCode;
  readonly from?: Instant;
  readonly to?: Instant;
  readonly purpose?: string;
  readonly transferId?: Uuid;
  readonly step?: string;
  readonly org?: OrgId;
  /** Only those that count, or only those that do not. */
  readonly alarm?: 'true' | 'false';
}

/** A place in the trail's pages, which go from the newest step to the oldest: the next page is what stands behind it. */
export interface TrailPlace {
  /** The block up to which the channel was indexed when the first page was read: what comes later is in none of its pages. */
  readonly upTo: number;
  readonly at: Instant;
  readonly block: number;
  readonly position: number;
}

/** A key of the channel's registry, ended or not; the record itself is read from the ledger's copy. */
export interface RegisteredKey {
  readonly org: OrgId;
  readonly kid: Kid;
  readonly use: 'sign' | 'seal' | 'tls' | 'ledger' | 'governance' | 'ca';
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  readonly endedAt: Instant | undefined;
}

/** Read model of the channel: rebuilt from block 0 to the same content. */
export interface TrailStore {
  /** Number of the last indexed block, -1 before the first. */
  checkpoint(): Promise<number>;
  /** Moves the checkpoint on; `store.conflict` where it stands at `block` or beyond. Lease `indexer`. */
  advance(block: number, fencing: number): Promise<void>;
  putSteps(steps: readonly TrailStep[]): Promise<void>;
  /** Releases and ends of these transfers that count, whoever they are between. */
  counting(transferIds: readonly Uuid[]): Promise<readonly TrailStep[]>;
  putPermit(permit: {
    id: Uuid;
    custodian: CountryCode;
    recipient: CountryCode;
    purpose: string;
    until: Instant;
    block: number;
  }): Promise<void>;
  endPermit(id: Uuid, at: Instant, block: number): Promise<void>;
  permit(
    id: Uuid,
  ): Promise<
    { id: Uuid; custodian: CountryCode; recipient: CountryCode; purpose: string; until: Instant; endedAt: Instant | undefined } | undefined
  >;
  /** A key as the registry holds it; the genesis' keys stand at block 0. */
  putKey(key: RegisteredKey): Promise<void>;
  endKey(org: OrgId, kid: Kid, at: Instant): Promise<void>;
  /** Registered keys of an organisation, youngest first. */
  keys(org: OrgId, use: RegisteredKey['use']): Promise<readonly RegisteredKey[]>;
  /** Newest first by (at, block, position); `behind` is where the page before ended. */
  steps(filter: TrailFilter, limit: number, behind?: TrailPlace): Promise<readonly TrailStep[]>;
  /** All accepted leaves of one batch in their order: what a path to its root needs. */
  leaves(org: OrgId, batch: number): Promise<readonly string[]>;
  putHead(head: { org: OrgId; seq: number; txId: Uuid; block: number; fromBatch: number; toBatch: number }): Promise<void>;
  headOf(org: OrgId, batch: number): Promise<{ seq: number; txId: Uuid; block: number } | undefined>;
}

export interface NotaryTx extends RoleTx {
  readonly acts: ActStore;
  readonly steps: StepStore;
  readonly batches: BatchStore;
  readonly heads: HeadStore;
  readonly log: LogStore;
  readonly trail: TrailStore;
}

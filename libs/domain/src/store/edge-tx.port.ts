import type { BusinessIdentifier, CountryCode, DataCategory, Instant, SearchTraits, Uuid } from '@portolan/contracts';
import type { SearchQuery, SearchValue } from '../fhir/index.js';
import type { StandingAge } from '../ingest/age.js';
import type { PersonId, TransferId, ViewId } from '../kernel/ids.js';
import type { MappingStore, MessageStore, RejectStore } from './message-stores.port.js';
import type { KeyId, RoleTx, StatementStore } from './role-tx.port.js';

export interface Person {
  readonly id: PersonId;
  readonly identifiers: readonly BusinessIdentifier[];
  readonly birthDate: string | undefined;
  readonly family: string | undefined;
  readonly given: string | undefined;
}

/**
 * A person as one entry of the index. What a source keeps of her apart is an entry of its own; entries that a source joined are one
 * person to whoever reads, and each keeps its own rows, so that the joining can be undone.
 */
export interface PersonEntry extends Person {
  /** The entry that stands for the person: this one, unless it was merged into another. */
  readonly survivor: PersonId;
  /** Identifiers of the person's other entries. */
  readonly others: readonly BusinessIdentifier[];
}

/** That a source said of two entries that they are one person (HL7 v2: A24, A34, A40, A43, A47). */
export interface PersonMerge {
  readonly id: Uuid;
  /** Both stood for themselves until then. */
  readonly prior: PersonId;
  readonly survivor: PersonId;
  /** The message that said so. */
  readonly messageId: Uuid;
  readonly at: Instant;
  readonly undoneAt: Instant | undefined;
}

export interface PersonStore {
  /** Live persons that bear this identifier: none, one, or several where sources disagree. */
  byIdentifier(identifier: BusinessIdentifier): Promise<readonly Person[]>;
  /** Persons that fit every trait given (identifiers and demographics, names compared without case and accents). */
  byTraits(traits: SearchTraits): Promise<readonly Person[]>;
  /** The whole person, by the id of any of her entries. */
  get(id: PersonId): Promise<Person | undefined>;
  /** Ids of all entries of the person of this one, which is among them. */
  same(id: PersonId): Promise<readonly PersonId[]>;
  /** Entries that bear this identifier themselves. */
  entriesBearing(identifier: BusinessIdentifier): Promise<readonly PersonEntry[]>;
  entry(id: PersonId): Promise<PersonEntry | undefined>;
  /** Replaces what the entry says; of whom it is stays. */
  save(person: Person): Promise<void>;
  /** Removes the entry's search rows; keys are erased besides. */
  erase(id: PersonId): Promise<void>;
  /** Throws `store.conflict` where either entry stands for itself no more. */
  merge(merge: Omit<PersonMerge, 'undoneAt'>): Promise<void>;
  mergeOf(id: Uuid): Promise<PersonMerge | undefined>;
  /** Newest first, after the merge `after`. */
  merges(after: Uuid | undefined, limit: number): Promise<readonly PersonMerge[]>;
  /** The newest merge of these two that stands, whichever of them went; undefined where they were not joined to each other. */
  mergeBetween(one: PersonId, other: PersonId): Promise<PersonMerge | undefined>;
  /** The prior entry stands for itself again, and for those that were merged into it before; false where it was undone already. */
  undoMerge(id: Uuid, at: Instant): Promise<boolean>;
}

/** A stay that its source, or whoever assigns its number, moved from a person or a number (HL7 v2 A45), known here or not. */
export interface StayMoved {
  /** Whose it is no more. */
  readonly person: PersonId;
  /** `stayKey` of the number under which it is no more. */
  readonly stay: Uuid;
  readonly toPerson: PersonId;
  readonly toStay: Uuid;
  readonly messageId: Uuid;
}

/**
 * A stay that another organisation sent under a number that was moved, and that stands where it stood: whether it goes, too, is asked of an operator.
 * It says nothing of what stands in it.
 */
export interface StayLeft {
  readonly id: Uuid;
  /** The move from which it was left: `person` and `stay` of a `StayMoved`, with which it is forgotten. */
  readonly person: PersonId;
  readonly stay: Uuid;
  /** Id of the Encounter. */
  readonly encounter: string;
  /** `system|value` of the organisation that sent it. */
  readonly custodian: string;
  /** The number is not the mover's to say for others; what belongs to it cannot be told from what else is hers; it came in a document of another format. */
  readonly why: 'of-another' | 'entangled' | 'document';
  readonly at: Instant;
  /** Kept: an operator said that it is where it belongs. Moved: it went after all, by whomever. */
  readonly state: 'open' | 'kept' | 'moved';
}

/** One in the operator's list, with the message of the move. */
export interface AskedStay extends StayLeft {
  readonly messageId: Uuid;
  readonly source: string;
  readonly controlId: string;
}

/** One row for a number of a stay that a message moves; what still comes under it is known by this. */
export interface StayMoveStore {
  /** After `remember`. One that was kept stays so; one that went is open again. */
  leave(stay: StayLeft): Promise<void>;
  /** Open ones that stand there still, oldest first, after the one `after`. */
  asked(after: Uuid | undefined, limit: number): Promise<readonly AskedStay[]>;
  left(id: Uuid): Promise<StayLeft | undefined>;
  /** Compare-and-set from open; false where it stands elsewhere already. */
  answer(id: Uuid, state: 'kept' | 'moved'): Promise<boolean>;
  /** These Encounters stand there no more. */
  gone(encounters: readonly string[]): Promise<void>;
  /** Said anew of the same it replaces what was said. */
  remember(move: StayMoved): Promise<void>;
  /** These stays are theirs again. */
  forget(persons: readonly PersonId[], stays: readonly Uuid[]): Promise<void>;
  of(persons: readonly PersonId[], stays: readonly Uuid[]): Promise<readonly StayMoved[]>;
}

/** One version of a FHIR resource: exact JSON text, encrypted under its person's key. */
export interface ResourceVersion {
  readonly type: string;
  readonly id: string;
  readonly versionId: number;
  readonly lastUpdated: Instant;
  readonly person: PersonId | undefined;
  readonly keyId: KeyId;
  readonly categories: readonly DataCategory[];
  readonly messageId: Uuid | undefined;
  /** SHA-256 of `text`, hex. */
  readonly sha256: string;
  readonly deleted: boolean;
  readonly text: string;
}

/** A resource as it stands, and how old that is. */
export interface StandingResource {
  readonly current: ResourceVersion;
  readonly age: StandingAge;
}

export interface ResourceStore {
  /** Appends the next version unless the current one has the same content hash; replaces the search rows. */
  put(resource: Omit<ResourceVersion, 'versionId'>, search: readonly SearchValue[]): Promise<{ versionId: number; changed: boolean }>;
  /** Locks these until the commit, in one order, so that `put` of each of them waits for nobody. */
  lock(resources: readonly Omit<ResourceVersion, 'versionId'>[]): Promise<void>;
  get(type: string, id: string): Promise<ResourceVersion | undefined>;
  /** What stands of these, each by `type/id`, with its age; what does not stand is not there. */
  standing(wanted: readonly { type: string; id: string }[]): Promise<ReadonlyMap<string, StandingResource>>;
  /** How old the current content is by its source's word; undefined times where nothing said so. */
  age(type: string, id: string): Promise<StandingAge>;
  /** Says so after `put`, or of what stands and was told again. */
  setAge(type: string, id: string, age: StandingAge): Promise<void>;
  version(type: string, id: string, versionId: number): Promise<ResourceVersion | undefined>;
  history(type: string, id: string, limit: number): Promise<readonly ResourceVersion[]>;
  /** Current versions that fit; keyset paging inside `query`. */
  search(query: SearchQuery): Promise<{ resources: readonly ResourceVersion[]; next: string | undefined; total: number | undefined }>;
  /** Current versions of a person in the categories, at most `limit`; the caller narrows by clinical date. */
  ofPerson(person: PersonId, categories: readonly DataCategory[] | 'all', limit: number): Promise<readonly ResourceVersion[]>;
}

/** A foreign record shown, not owned: encrypted under its own key, bound to transfer, purpose and case (design, invariant 9). */
export interface View {
  readonly id: ViewId;
  readonly transferId: TransferId;
  readonly permitId: Uuid;
  readonly custodian: CountryCode;
  readonly purpose: string;
  readonly caseId: string;
  /** National id of the professional for whom it was fetched, `system|value`. */
  readonly openedFor: string;
  /** The asker's handle of the foreign person: FHIR id of the Patient that searches name. */
  readonly patientHandle: string;
  readonly until: Instant;
  readonly keyId: KeyId;
  readonly state: 'open' | 'destroyed' | 'amended';
}

export interface ViewResource {
  readonly type: string;
  readonly id: string;
  readonly text: string;
}

export interface ViewStore {
  /** Open views whose `until` has passed, at most `limit`. */
  expired(now: Instant, limit: number): Promise<readonly View[]>;
  put(view: View, resources: readonly ViewResource[]): Promise<void>;
  get(id: ViewId): Promise<View | undefined>;
  byTransfer(transferId: TransferId): Promise<View | undefined>;
  byPatient(patientHandle: string): Promise<readonly View[]>;
  /** Views that show this resource; what was destroyed shows nothing. */
  showing(type: string, id: string): Promise<readonly View[]>;
  resources(id: ViewId): Promise<readonly ViewResource[]>;
  /** Open views of a permit. */
  byPermit(permitId: Uuid): Promise<readonly View[]>;
  mark(id: ViewId, state: View['state']): Promise<void>;
  /** Destroys the key and the rows' bodies; the view's bare row remains as evidence. */
  destroy(id: ViewId): Promise<void>;
}

/** An explicit cross-border request as the edge keeps it: what a client polls. */
export interface EdgeTransfer {
  readonly transferId: TransferId;
  readonly kind: 'match' | 'record';
  readonly country: CountryCode;
  readonly state: 'asked' | 'viewed' | 'matched' | 'none' | 'failed' | 'ended';
  readonly requestedBy: string;
  readonly caseId: string;
  readonly keyId: KeyId;
  /** JSON: the request, later the outcome. */
  readonly data: unknown;
  readonly createdAt: Instant;
}

export interface EdgeTransferStore {
  create(transfer: EdgeTransfer): Promise<void>;
  get(id: TransferId): Promise<EdgeTransfer | undefined>;
  /** Moves on from a state; false where the row stands elsewhere already. */
  advance(id: TransferId, from: EdgeTransfer['state'], to: EdgeTransfer['state'], data: unknown): Promise<boolean>;
  list(limit: number): Promise<readonly EdgeTransfer[]>;
  /** Those of these that are answered, whatever the answer. */
  answered(ids: readonly TransferId[]): Promise<readonly TransferId[]>;
}

/** What the person is shown: one entry for each use, change and act on her data. */
export interface FeedEntry {
  readonly id: Uuid;
  readonly person: PersonId;
  readonly at: Instant;
  readonly keyId: KeyId;
  /** JSON. */
  readonly body: unknown;
}

export interface FeedStore {
  /** False where the entry was there already. */
  append(entry: FeedEntry): Promise<boolean>;
  /** Oldest first, after sequence number `after` ("0" for all), at most `limit`. */
  after(person: PersonId, after: string, limit: number): Promise<readonly (FeedEntry & { seq: string })[]>;
}

/** A confirmed link between the handle of a foreign person and a local patient (design, section 4), which can be undone. */
export interface PatientLink {
  readonly handle: string;
  readonly country: CountryCode;
  readonly keyId: KeyId;
  /** JSON: the traits as the asker sent them. */
  readonly traits: SearchTraits;
  readonly local: PersonId | undefined;
}

export interface PatientLinkStore {
  put(link: PatientLink): Promise<void>;
  get(handle: string): Promise<PatientLink | undefined>;
}

/** A change that somebody proposes to an entry: it needs the person's permission and the custodian's acceptance (design, invariant 7). */
export interface Proposal {
  readonly id: Uuid;
  readonly person: PersonId;
  readonly state: 'open' | 'permitted' | 'accepted' | 'declined';
  readonly keyId: KeyId;
  /** JSON: what is proposed, by whom, why. */
  readonly body: unknown;
  readonly at: Instant;
}

export interface ProposalStore {
  put(proposal: Proposal): Promise<void>;
  get(id: Uuid): Promise<Proposal | undefined>;
  ofPerson(person: PersonId, limit: number): Promise<readonly Proposal[]>;
  /** Permitted ones that wait for this custodian, oldest first, after the proposal `after`. */
  waitingFor(custodian: string, after: Uuid | undefined, limit: number): Promise<readonly Proposal[]>;
  /** Compare-and-set; false where it stands elsewhere already. `custodian`: `system|value` of the organisation that answers next. */
  advance(id: Uuid, from: Proposal['state'], to: Proposal['state'], custodian?: string): Promise<boolean>;
}

/** Two entries of one record of which one may repeat the other (libs/domain/src/reconciliation). It says nothing of what stands in them. */
export interface Reconciliation {
  /** `pairId`. */
  readonly id: Uuid;
  readonly person: PersonId;
  /** `Type/id` of what the record held already, and of what came. */
  readonly known: string;
  readonly come: string;
  /** `system|value` of the organisation that brought what came: its staff judges. */
  readonly custodian: string;
  readonly at: Instant;
  /** Withdrawn: one of the two was corrected or taken back, or the two are no longer of one person. */
  readonly state: 'open' | 'same' | 'different' | 'withdrawn';
}

export interface ReconciliationsWanted {
  readonly custodian: string;
  readonly state: Reconciliation['state'];
  /** Of this person alone. */
  readonly person?: PersonId;
  readonly after: Uuid | undefined;
  readonly limit: number;
}

/** An entry of a record that a document from abroad brought, or that was taken over from a view. */
export interface ForeignEntry {
  /** `Type/id`. */
  readonly entry: string;
  /** `system|value` of the organisation that brought it: its staff judges what it repeats. */
  readonly custodian: string;
}

export interface ReconciliationStore {
  /** These (`Type/id`) came from abroad, by this organisation; said again it changes nothing. */
  noteForeign(person: PersonId, entries: readonly string[], custodian: string): Promise<void>;
  /** Those of the person, all entries of the index that are hers, at most `limit`. */
  foreignOf(person: PersonId, limit: number): Promise<readonly ForeignEntry[]>;
  /** Opens those that are new and those that were withdrawn; what was judged stays so. */
  propose(pairs: readonly Omit<Reconciliation, 'state'>[]): Promise<void>;
  get(id: Uuid): Promise<Reconciliation | undefined>;
  /** Oldest first, after the pair `after`. */
  list(wanted: ReconciliationsWanted): Promise<readonly Reconciliation[]>;
  /** Open and withdrawn ones that name one of these entries (`Type/id`); the first 2,000. */
  unjudged(entries: readonly string[]): Promise<readonly Reconciliation[]>;
  unjudgedOf(person: PersonId): Promise<readonly Reconciliation[]>;
  /** Compare-and-set; false where it stands elsewhere already. */
  advance(id: Uuid, from: Reconciliation['state'], to: Reconciliation['state']): Promise<boolean>;
}

export interface EdgeTx extends RoleTx {
  readonly reconciliations: ReconciliationStore;
  readonly statements: StatementStore;
  readonly proposals: ProposalStore;
  readonly messages: MessageStore;
  readonly rejects: RejectStore;
  readonly mappings: MappingStore;
  readonly persons: PersonStore;
  readonly stayMoves: StayMoveStore;
  readonly resources: ResourceStore;
  readonly views: ViewStore;
  readonly transfers: EdgeTransferStore;
  readonly feed: FeedStore;
  readonly links: PatientLinkStore;
}

/** What the exchange may read of the edge's record tables, by database grant: it decides for itself. */
export abstract class RecordReader {
  abstract personsByTraits(traits: SearchTraits): Promise<readonly Person[]>;
  abstract person(id: PersonId): Promise<Person | undefined>;
  /** Current resources of the categories, and those of no category: the person's Patient resources, and what others refer to. */
  abstract resources(person: PersonId, categories: readonly DataCategory[], limit: number): Promise<readonly ResourceVersion[]>;
  /** Current resources that belong to no person (organisations, professionals), by type and id; others are left out. */
  abstract shared(wanted: readonly { type: string; id: string }[]): Promise<readonly ResourceVersion[]>;
}

import { Column, Entity, PrimaryColumn, PrimaryGeneratedColumn } from 'typeorm';
import { BytesColumn, CodeUnitColumn, InstantColumn } from '../role/columns.js';

@Entity('message')
export class MessageEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('text')
  via!: 'mllp' | 'http' | 'fhir' | 'replay';

  @Column('text')
  source!: string;

  @Column('text')
  format!: string;

  @Column('text', { name: 'control_id' })
  controlId!: string;

  @Column('text')
  sha256!: string;

  @InstantColumn({ name: 'received_at' })
  receivedAt!: string;

  @Column('text')
  state!: 'stored' | 'rejected' | 'not-production';

  @Column('uuid', { name: 'key_id' })
  keyId!: string;

  /** The exact bytes, encrypted. */
  @BytesColumn()
  original!: Uint8Array;
}

@Entity('message_account')
export class MessageAccountEntity {
  @PrimaryColumn('uuid', { name: 'message_id' })
  messageId!: string;

  @Column('uuid', { name: 'key_id' })
  keyId!: string;

  /** JSON, encrypted. */
  @BytesColumn()
  body!: Uint8Array;
}

@Entity('reject')
export class RejectEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'message_id' })
  messageId!: string;

  @Column('text')
  source!: string;

  @Column('text')
  format!: string;

  @Column('text')
  code!: string;

  @Column('text', { name: 'place' })
  where!: string;

  @InstantColumn()
  at!: string;

  @Column('text')
  state!: 'open' | 'repaired' | 'discarded';

  @Column('uuid', { name: 'closed_by', nullable: true })
  closedBy!: string | null;

  /** Why it was closed, encrypted under the message's key: somebody's free text. */
  @BytesColumn({ nullable: true })
  reason!: Uint8Array | null;
}

/** The person index: what a search for a person compares, in clear (design, invariant 10 erases it). */
@Entity('person')
export class PersonEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('text', { name: 'birth_date', nullable: true })
  birthDate!: string | null;

  @Column('text', { nullable: true })
  family!: string | null;

  @Column('text', { nullable: true })
  given!: string | null;

  /** Without case and accents. */
  @Column('text', { name: 'family_key', nullable: true })
  familyKey!: string | null;

  @Column('text', { name: 'given_key', nullable: true })
  givenKey!: string | null;

  /** The entry that stands for the person, where it is another. */
  @Column('uuid', { name: 'merged_into', nullable: true })
  mergedInto!: string | null;
}

@Entity('person_identifier')
export class PersonIdentifierEntity {
  @PrimaryColumn('text')
  system!: string;

  @PrimaryColumn('text')
  value!: string;

  @PrimaryColumn('uuid')
  person!: string;
}

/** The newest version of each resource, and the row that its writers lock. */
@Entity('resource')
export class ResourceEntity {
  @PrimaryColumn('text')
  type!: string;

  @CodeUnitColumn({ primary: true })
  id!: string;

  @Column('integer', { name: 'version_id' })
  versionId!: number;

  @InstantColumn({ name: 'last_updated' })
  lastUpdated!: string;

  @Column('uuid', { nullable: true })
  person!: string | null;

  @Column('text', { array: true })
  categories!: string[];

  @Column('text')
  sha256!: string;

  @Column('boolean')
  deleted!: boolean;

  /** The person was erased: the resource is nowhere found any more. */
  @Column('boolean', { default: false })
  erased!: boolean;

  /** When the current content was entered at its source, and sent, by the source's own word. */
  @InstantColumn({ name: 'content_at', nullable: true })
  contentAt!: string | null;

  @InstantColumn({ name: 'sent_at', nullable: true })
  sentAt!: string | null;
}

@Entity('resource_version')
export class ResourceVersionEntity {
  @PrimaryColumn('text')
  type!: string;

  @CodeUnitColumn({ primary: true })
  id!: string;

  @PrimaryColumn('integer', { name: 'version_id' })
  versionId!: number;

  @InstantColumn({ name: 'last_updated' })
  lastUpdated!: string;

  @Column('uuid', { nullable: true })
  person!: string | null;

  @Column('uuid', { name: 'key_id' })
  keyId!: string;

  @Column('text', { array: true })
  categories!: string[];

  @Column('uuid', { name: 'message_id', nullable: true })
  messageId!: string | null;

  @Column('text')
  sha256!: string;

  @Column('boolean')
  deleted!: boolean;

  /** Exact JSON text, encrypted. */
  @BytesColumn()
  body!: Uint8Array;
}

@Entity('feed_entry')
export class FeedEntryEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  seq!: string;

  @Column('uuid', { unique: true })
  id!: string;

  @Column('uuid')
  person!: string;

  @InstantColumn()
  at!: string;

  @Column('uuid', { name: 'key_id' })
  keyId!: string;

  /** JSON, encrypted. */
  @BytesColumn()
  body!: Uint8Array;
}

@Entity('proposal')
export class ProposalEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid')
  person!: string;

  @Column('text')
  state!: 'open' | 'permitted' | 'accepted' | 'declined';

  @Column('uuid', { name: 'key_id' })
  keyId!: string;

  /** JSON, encrypted. */
  @BytesColumn()
  body!: Uint8Array;

  @InstantColumn()
  at!: string;

  /** `system|value` of the organisation whose entry it is, once its person permitted it. */
  @Column('text', { nullable: true })
  custodian!: string | null;
}

/** Two entries of one record of which one may repeat the other, and what was judged of them. */
@Entity('reconciliation')
export class ReconciliationEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid')
  person!: string;

  /** `Type/id`. */
  @Column('text')
  known!: string;

  /** `Type/id`. */
  @Column('text')
  come!: string;

  /** `system|value` of the organisation whose staff judges. */
  @Column('text')
  custodian!: string;

  @Column('text')
  state!: 'open' | 'same' | 'different' | 'withdrawn';

  @InstantColumn()
  at!: string;
}

/** An entry that a document from abroad brought. */
@Entity('foreign_entry')
export class ForeignEntryEntity {
  @PrimaryColumn('uuid')
  person!: string;

  /** `Type/id`. */
  @PrimaryColumn('text')
  entry!: string;

  /** `system|value` of the organisation whose staff judges. */
  @Column('text')
  custodian!: string;
}

/** A code for whose counterpart a person is asked, and the answer (`target` of a FHIR ConceptMap as JSON). It names no person. */
@Entity('mapping_question')
export class MappingQuestionEntity {
  @PrimaryColumn('text')
  map!: string;

  /** `` where the binding names a code without a system. */
  @PrimaryColumn('text')
  system!: string;

  @PrimaryColumn('text')
  code!: string;

  @Column('text')
  rule!: string;

  @Column('bigint')
  seen!: string;

  @InstantColumn({ name: 'first_seen' })
  firstSeen!: string;

  @InstantColumn({ name: 'last_seen' })
  lastSeen!: string;

  @Column('text', { nullable: true })
  answer!: string | null;

  @InstantColumn({ name: 'answered_at', nullable: true })
  answeredAt!: string | null;
}

/** A message that is translated again once its question is answered. */
@Entity('mapping_question_message')
export class MappingQuestionMessageEntity {
  @PrimaryColumn('text')
  map!: string;

  @PrimaryColumn('text')
  system!: string;

  @PrimaryColumn('text')
  code!: string;

  @PrimaryColumn('uuid', { name: 'message_id' })
  messageId!: string;
}

export const recordEntities = [PersonEntity, PersonIdentifierEntity, ResourceEntity, ResourceVersionEntity];
export const edgeEntities = [
  MessageEntity,
  MessageAccountEntity,
  RejectEntity,
  ...recordEntities,
  FeedEntryEntity,
  ProposalEntity,
  ReconciliationEntity,
  ForeignEntryEntity,
  MappingQuestionEntity,
  MappingQuestionMessageEntity,
];

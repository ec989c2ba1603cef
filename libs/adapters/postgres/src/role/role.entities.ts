import { Column, Entity, PrimaryColumn, PrimaryGeneratedColumn } from 'typeorm';
import { BytesColumn, CountColumn, DueColumn, InstantColumn } from './columns.js';

/** Whether a person's keys may still be made: one row a person who ever had one. */
@Entity('key_owner')
export class KeyOwnerEntity {
  @PrimaryColumn('uuid')
  person!: string;

  @InstantColumn({ name: 'erased_at', nullable: true })
  erasedAt!: string | null;
}

/** A data key, wrapped by the node's master key. The row outlives the key: `wrapped` is emptied, `destroyed_at` says when. */
@Entity('data_key')
export class DataKeyEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @BytesColumn({ nullable: true })
  wrapped!: Uint8Array | null;

  @Column('uuid', { nullable: true })
  person!: string | null;

  /** The one key that `forPerson` gives; keys assigned to the person later are not. */
  @Column('boolean', { default: false })
  main!: boolean;

  @InstantColumn({ name: 'destroyed_at', nullable: true })
  destroyedAt!: string | null;
}

@Entity('outbox')
export class OutboxEntity {
  /** The order within a recipient and key. */
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  seq!: string;

  @Column('uuid', { unique: true })
  id!: string;

  @Column('text')
  recipient!: string;

  @Column('text')
  type!: string;

  @Column('text')
  key!: string;

  @Column('uuid', { name: 'key_id' })
  keyId!: string;

  @BytesColumn()
  body!: Uint8Array;

  @Column('text', { default: 'waiting' })
  state!: 'waiting' | 'delivered' | 'dead';

  @Column('integer', { default: 0 })
  attempts!: number;

  /** Attempts at which its recipient answered, and refused it. */
  @Column('integer', { default: 0 })
  refusals!: number;

  @InstantColumn({ name: 'delivered_at', nullable: true })
  deliveredAt!: string | null;

  /** Not to be taken before: the delay after a failure, or the lease of the one who delivers. */
  @DueColumn({ name: 'next_at' })
  nextAt!: string;

  @Column('text', { nullable: true })
  code!: string | null;
}

@Entity('inbox')
export class InboxEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @InstantColumn()
  at!: string;
}

/** Append-only: the role may not change a row, and a trigger stops everybody else. */
@Entity('audit_event')
export class AuditEventEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  seq!: string;

  @Column('uuid', { unique: true })
  id!: string;

  @InstantColumn()
  at!: string;

  @Column('text')
  type!: string;

  @Column('text')
  outcome!: 'success' | 'refused' | 'failed';

  @Column('uuid', { nullable: true })
  person!: string | null;

  @Column('uuid', { name: 'transfer_id', nullable: true })
  transferId!: string | null;

  @Column('uuid', { name: 'key_id' })
  keyId!: string;

  @BytesColumn()
  body!: Uint8Array;

  /** RFC 6962 leaf hash of the ciphertext. */
  @BytesColumn({ name: 'leaf_hash' })
  leafHash!: Uint8Array;
}

@Entity('lease')
export class LeaseEntity {
  @PrimaryColumn('text')
  name!: string;

  @Column('text')
  holder!: string;

  /** Grows with each new holder, never shrinks. */
  @CountColumn()
  fencing!: number;

  @DueColumn()
  until!: string;
}

/** Edge and exchange alone: a statement about the acting professional that an act was done under, by the SHA-256 of client and jti. */
@Entity('used_statement')
export class UsedStatementEntity {
  @PrimaryColumn('bytea')
  id!: Uint8Array;

  @InstantColumn()
  until!: string;
}

export const roleEntities = [KeyOwnerEntity, DataKeyEntity, OutboxEntity, InboxEntity, AuditEventEntity, LeaseEntity];

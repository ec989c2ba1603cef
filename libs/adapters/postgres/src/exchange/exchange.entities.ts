import { Column, Entity, PrimaryColumn, PrimaryGeneratedColumn } from 'typeorm';
import { BytesColumn, DueColumn, InstantColumn } from '../role/columns.js';

@Entity('transfer')
export class TransferEntity {
  @PrimaryColumn('uuid', { name: 'transfer_id' })
  transferId!: string;

  @Column('text')
  side!: 'asker' | 'custodian';

  @Column('text')
  kind!: 'match' | 'record';

  @Column('text')
  partner!: string;

  @Column('text')
  state!: string;

  @Column('uuid', { name: 'permit_id', nullable: true })
  permitId!: string | null;

  @Column('uuid', { nullable: true })
  person!: string | null;

  @Column('uuid', { name: 'key_id' })
  keyId!: string;

  /** JSON, encrypted. */
  @BytesColumn()
  data!: Uint8Array;

  @InstantColumn({ name: 'open_until' })
  limit!: string;

  @DueColumn({ name: 'due_at' })
  dueAt!: string;

  @DueColumn({ name: 'claimed_until', nullable: true })
  claimedUntil!: string | null;

  @Column('integer', { default: 0 })
  attempts!: number;

  @Column('text', { nullable: true })
  code!: string | null;

  @InstantColumn({ name: 'created_at' })
  createdAt!: string;
}

/** A sealed part as a partner wrote it; the ciphertext is the partner's. */
@Entity('incoming')
export class IncomingEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  seq!: string;

  @Column('text', { name: 'sender' })
  from!: string;

  @Column('text')
  id!: string;

  @Column('text')
  key!: string;

  @BytesColumn()
  body!: Uint8Array;

  @InstantColumn({ name: 'received_at' })
  receivedAt!: string;

  @InstantColumn({ name: 'done_at', nullable: true })
  doneAt!: string | null;

  @Column('text', { default: 'waiting' })
  state!: 'waiting' | 'done' | 'dead';

  @Column('integer', { default: 0 })
  attempts!: number;

  @DueColumn({ name: 'next_at' })
  nextAt!: string;

  @Column('text', { nullable: true })
  code!: string | null;
}

/** A sealed part on its way out; the ciphertext is the receiver's to open. */
@Entity('outgoing')
export class OutgoingEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  seq!: string;

  @Column('text', { unique: true })
  id!: string;

  @Column('text', { name: 'recipient' })
  to!: string;

  @Column('text')
  key!: string;

  @BytesColumn()
  body!: Uint8Array;

  @Column('text', { default: 'waiting' })
  state!: 'waiting' | 'sent' | 'dead' | 'lapsed';

  @Column('integer', { default: 0 })
  attempts!: number;

  /** Attempts at which it was refused, by the partner or before it left. */
  @Column('integer', { default: 0 })
  refusals!: number;

  /** When what it is for is over. */
  @InstantColumn({ nullable: true })
  until!: string | null;

  /** When it was sent, or lapsed. */
  @InstantColumn({ name: 'ended_at', nullable: true })
  endedAt!: string | null;

  @DueColumn({ name: 'next_at' })
  nextAt!: string;

  @Column('text', { nullable: true })
  code!: string | null;
}

@Entity('consent')
export class ConsentEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('integer')
  version!: number;

  @Column('uuid')
  person!: string;

  @Column('text')
  state!: 'live' | 'withdrawn' | 'replaced';

  @Column('uuid', { name: 'key_id' })
  keyId!: string;

  /** Exact JSON text, encrypted. */
  @BytesColumn()
  text!: Uint8Array;

  @InstantColumn()
  at!: string;

  @InstantColumn({ name: 'ended_at', nullable: true })
  endedAt!: string | null;
}

@Entity('restriction')
export class RestrictionEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid')
  person!: string;

  @Column('text')
  state!: 'live' | 'lifted';

  @Column('uuid', { name: 'key_id' })
  keyId!: string;

  /** Exact JSON text, encrypted. */
  @BytesColumn()
  text!: Uint8Array;

  @InstantColumn()
  at!: string;

  @InstantColumn({ name: 'lifted_at', nullable: true })
  liftedAt!: string | null;
}

@Entity('permit')
export class PermitEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'transfer_id' })
  transferId!: string;

  @Column('uuid')
  person!: string;

  @Column('text')
  recipient!: string;

  @Column('text')
  purpose!: string;

  @InstantColumn()
  until!: string;

  @Column('text')
  state!: 'granted' | 'anchored' | 'ended';

  @Column('uuid', { name: 'key_id' })
  keyId!: string;

  /** Exact text that the anchored commitment covers, encrypted. */
  @BytesColumn()
  opening!: Uint8Array;

  @Column('uuid', { name: 'consent_id', nullable: true })
  consentId!: string | null;
}

@Entity('emergency')
export class EmergencyEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('text')
  custodian!: string;

  @InstantColumn()
  declared!: string;

  @InstantColumn()
  until!: string;

  @InstantColumn({ name: 'review_due' })
  reviewDue!: string;

  @Column('text')
  state!: 'declared' | 'ended' | 'reviewed';

  @Column('uuid', { name: 'key_id' })
  keyId!: string;

  /** Exact text that the anchored commitment covers, encrypted. */
  @BytesColumn()
  text!: Uint8Array;

  /** The same of the review, once there is one. */
  @BytesColumn({ nullable: true })
  review!: Uint8Array | null;
}

export const exchangeEntities = [
  TransferEntity,
  IncomingEntity,
  OutgoingEntity,
  ConsentEntity,
  RestrictionEntity,
  PermitEntity,
  EmergencyEntity,
];

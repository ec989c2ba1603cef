import { Column, Entity, PrimaryColumn, PrimaryGeneratedColumn } from 'typeorm';
import { CountColumn, DueColumn } from '../role/columns.js';

/** Everything here is on the channel or on its way there: nothing identifies a person (design, invariant 2), so rows are in clear. */
@Entity('act')
export class ActEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  seq!: string;

  @Column('uuid', { unique: true })
  id!: string;

  @Column('text')
  fn!: string;

  /** JSON text, exact. */
  @Column('text')
  args!: string;

  @Column('text', { default: 'pending' })
  state!: 'pending' | 'submitted' | 'committed' | 'invalid';

  @Column('text', { nullable: true })
  code!: string | null;

  @Column('integer', { default: 0 })
  attempts!: number;

  @DueColumn({ name: 'next_at' })
  nextAt!: string;

  /** The transaction in which it goes with others. */
  @Column('uuid', { nullable: true })
  bundle!: string | null;
}

@Entity('step')
export class StepEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  seq!: string;

  @Column('uuid', { name: 'transfer_id' })
  transferId!: string;

  @Column('text')
  step!: string;

  /** Id of an adoption, of which a transfer may have several; null for every step that is one of its kind. */
  @Column('uuid', { nullable: true })
  act!: string | null;

  /** Canonical JSON text: exactly this is hashed. */
  @Column('text')
  leaf!: string;

  /** JSON text; null where the step has no predecessor. */
  @Column('text', { nullable: true })
  evidence!: string | null;

  @Column('text', { default: 'pending' })
  state!: 'pending' | 'batched' | 'accepted' | 'rejected';

  @CountColumn({ nullable: true })
  batch!: number | null;

  /** Place in the batch as it was submitted. */
  @Column('integer', { nullable: true })
  position!: number | null;

  /** Place among the batch's accepted steps: what the Merkle path counts. */
  @Column('integer', { name: 'leaf_index', nullable: true })
  index!: number | null;

  @Column('text', { nullable: true })
  code!: string | null;

  @DueColumn({ name: 'next_at' })
  nextAt!: string;
}

@Entity('batch')
export class BatchEntity {
  @CountColumn({ primary: true })
  n!: number;

  @Column('uuid', { name: 'tx_id', unique: true })
  txId!: string;

  /** JSON text, exact. */
  @Column('text')
  args!: string;

  @Column('text', { default: 'open' })
  state!: 'open' | 'committed' | 'invalid';

  @CountColumn({ nullable: true })
  head!: number | null;
}

@Entity('head')
export class HeadEntity {
  @CountColumn({ primary: true })
  seq!: number;

  @Column('uuid', { name: 'tx_id', unique: true })
  txId!: string;

  /** JSON text, exact. */
  @Column('text')
  args!: string;

  @CountColumn()
  size!: number;

  @Column('text')
  root!: string;

  @Column('text', { default: 'open' })
  state!: 'open' | 'committed' | 'invalid';
}

@Entity('log_queue')
export class LogQueueEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  seq!: string;

  @Column('uuid', { name: 'event_id', unique: true })
  eventId!: string;

  @Column('text', { name: 'leaf_hash' })
  leafHash!: string;

  @Column('boolean', { default: false })
  appended!: boolean;
}

@Entity('log_leaf')
export class LogLeafEntity {
  @CountColumn({ primary: true })
  index!: number;

  @Column('uuid', { name: 'event_id', unique: true })
  eventId!: string;

  @Column('text', { name: 'leaf_hash' })
  leafHash!: string;
}

@Entity('log_node')
export class LogNodeEntity {
  @PrimaryColumn('integer')
  level!: number;

  @CountColumn({ primary: true })
  index!: number;

  @Column('text')
  hash!: string;
}

export const notaryEntities = [ActEntity, StepEntity, BatchEntity, HeadEntity, LogQueueEntity, LogLeafEntity, LogNodeEntity];

import { Column, Entity, PrimaryColumn } from 'typeorm';
import { CountColumn, InstantColumn } from '../role/columns.js';

/** How far the channel was indexed: one row. */
@Entity('trail_checkpoint')
export class TrailCheckpointEntity {
  @PrimaryColumn('boolean', { default: true })
  singleton!: boolean;

  @CountColumn()
  block!: number;
}

@Entity('trail_step')
export class TrailStepEntity {
  @CountColumn({ primary: true })
  block!: number;

  @PrimaryColumn('integer')
  position!: number;

  @InstantColumn()
  at!: string;

  @Column('text')
  org!: string;

  @Column('uuid', { name: 'transfer_id' })
  transferId!: string;

  @Column('text')
  step!: string;

  @Column('text', { name: 'sender' })
  from!: string;

  @Column('text', { name: 'recipient' })
  to!: string;

  @Column('uuid', { name: 'permit_id', nullable: true })
  permitId!: string | null;

  @Column('text', { nullable: true })
  purpose!: string | null;

  @Column('text', { nullable: true })
  reason!: string | null;

  @Column('boolean')
  late!: boolean;

  @CountColumn()
  batch!: number;

  @Column('integer', { name: 'leaf_index' })
  index!: number;

  @Column('text')
  leaf!: string;

  /** Registry code where the step repeats one that counts. */
  @Column('text', { nullable: true })
  alarm!: string | null;
}

@Entity('trail_permit')
export class TrailPermitEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('text')
  custodian!: string;

  @Column('text')
  recipient!: string;

  @Column('text')
  purpose!: string;

  @InstantColumn()
  until!: string;

  @CountColumn()
  block!: number;

  @InstantColumn({ name: 'ended_at', nullable: true })
  endedAt!: string | null;

  @CountColumn({ name: 'end_block', nullable: true })
  endBlock!: number | null;
}

@Entity('trail_head')
export class TrailHeadEntity {
  @PrimaryColumn('text')
  org!: string;

  @CountColumn({ primary: true })
  seq!: number;

  @Column('uuid', { name: 'tx_id' })
  txId!: string;

  @CountColumn()
  block!: number;

  @CountColumn({ name: 'from_batch' })
  fromBatch!: number;

  @CountColumn({ name: 'to_batch' })
  toBatch!: number;
}

/** A key of the channel's registry, ended or not. */
@Entity('trail_key')
export class TrailKeyEntity {
  @PrimaryColumn('text')
  org!: string;

  @PrimaryColumn('text')
  kid!: string;

  @Column('text')
  use!: 'sign' | 'seal' | 'tls' | 'ledger' | 'governance' | 'ca';

  @InstantColumn({ name: 'not_before' })
  notBefore!: string;

  @InstantColumn({ name: 'not_after' })
  notAfter!: string;

  @InstantColumn({ name: 'ended_at', nullable: true })
  endedAt!: string | null;
}

export const trailEntities = [TrailKeyEntity, TrailCheckpointEntity, TrailStepEntity, TrailPermitEntity, TrailHeadEntity];

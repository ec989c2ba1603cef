import { Column, Entity, PrimaryColumn } from 'typeorm';
import { CodeUnitColumn, InstantColumn } from '../role/columns.js';

/** A stay that is no longer this person's, or no longer under this number. */
@Entity('stay_move')
export class StayMoveEntity {
  @PrimaryColumn('uuid')
  person!: string;

  /** A hash of the number, and of whose word it is. */
  @PrimaryColumn('uuid')
  stay!: string;

  @Column('uuid', { name: 'to_person' })
  toPerson!: string;

  @Column('uuid', { name: 'to_stay' })
  toStay!: string;

  @Column('uuid', { name: 'message_id' })
  messageId!: string;
}

/** A stay that others sent under a number that was moved, and what was answered of it. */
@Entity('stay_left')
export class StayLeftEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid')
  person!: string;

  @Column('uuid')
  stay!: string;

  @CodeUnitColumn()
  encounter!: string;

  /** `system|value` of the organisation that sent it. */
  @Column('text')
  custodian!: string;

  @Column('text')
  why!: 'of-another' | 'entangled' | 'document';

  @InstantColumn()
  at!: string;

  @Column('text')
  state!: 'open' | 'kept' | 'moved';
}

export const stayEntities = [StayMoveEntity, StayLeftEntity];

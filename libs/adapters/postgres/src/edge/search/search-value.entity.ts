import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import { CodeUnitColumn } from '../../role/columns.js';

/** The search index: one row a value, of the newest version only, in clear (design, invariant 10 erases it with the person). */
@Entity('search_value')
export class SearchValueEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  seq!: string;

  @Column('text')
  type!: string;

  @CodeUnitColumn({ name: 'resource_id' })
  resourceId!: string;

  @Column('text')
  kind!: string;

  @Column('text')
  param!: string;

  @CodeUnitColumn({ nullable: true })
  system!: string | null;

  @CodeUnitColumn({ nullable: true })
  code!: string | null;

  /** -infinity where open. */
  @Column({ type: 'timestamptz', precision: 3, name: 'start_at', nullable: true })
  startAt!: Date | null;

  /** infinity where open. */
  @Column({ type: 'timestamptz', precision: 3, name: 'end_at', nullable: true })
  endAt!: Date | null;

  @CodeUnitColumn({ nullable: true })
  text!: string | null;

  @CodeUnitColumn({ nullable: true })
  normal!: string | null;

  @CodeUnitColumn({ name: 'ref_type', nullable: true })
  refType!: string | null;

  @CodeUnitColumn({ name: 'ref_id', nullable: true })
  refId!: string | null;

  @CodeUnitColumn({ nullable: true })
  url!: string | null;

  /** -Infinity where open. */
  @Column('double precision', { nullable: true })
  low!: number | null;

  /** Infinity where open. */
  @Column('double precision', { nullable: true })
  high!: number | null;

  @CodeUnitColumn({ nullable: true })
  unit!: string | null;

  @CodeUnitColumn({ nullable: true })
  uri!: string | null;
}

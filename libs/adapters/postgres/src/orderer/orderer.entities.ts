import { Column, Entity, PrimaryColumn, PrimaryGeneratedColumn } from 'typeorm';
import { CountColumn } from '../role/columns.js';

/** A block as the orderer made and signed it. */
@Entity('block')
export class OrdererBlockEntity {
  @CountColumn({ primary: true })
  number!: number;

  @Column('text')
  header!: string;
}

@Entity('block_tx')
export class OrdererTxEntity {
  @CountColumn({ primary: true })
  block!: number;

  @PrimaryColumn('integer')
  index!: number;

  @Column('uuid')
  id!: string;

  @Column('text')
  jws!: string;
}

/** The countries' signatures on blocks, in the order they came. */
@Entity('attestation')
export class OrdererAttestationEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'ALWAYS' })
  seq!: string;

  @CountColumn()
  block!: number;

  @Column('text')
  org!: string;

  @Column('text')
  digest!: string;

  @Column('text')
  jws!: string;
}

export const ordererEntities = [OrdererBlockEntity, OrdererTxEntity, OrdererAttestationEntity];

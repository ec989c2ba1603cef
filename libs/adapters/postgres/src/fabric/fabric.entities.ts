import { Column, Entity, PrimaryColumn } from 'typeorm';
import { BytesColumn, CodeUnitColumn, CountColumn } from '../role/columns.js';

/** A block of a Fabric channel as the notary's own peer has it. The newest is the checkpoint of the index. */
@Entity('fabric_block')
export class FabricBlockEntity {
  @CountColumn({ primary: true })
  number!: number;

  @Column('text')
  hash!: string;

  /** Instant, exact text. */
  @Column('text')
  time!: string;
}

@Entity('fabric_tx')
export class FabricTxEntity {
  @CountColumn({ primary: true })
  block!: number;

  @PrimaryColumn('integer')
  index!: number;

  @Column('text', { name: 'fabric_id' })
  fabricId!: string;

  @Column('uuid')
  id!: string;

  @CodeUnitColumn()
  org!: string;

  @Column('text')
  role!: string;

  @Column('text')
  fn!: string;

  /** JSON text, exact. */
  @Column('text')
  args!: string;

  /** Instant, exact text. */
  @Column('text')
  time!: string;

  @Column('boolean')
  valid!: boolean;

  @Column('text', { nullable: true })
  code!: string | null;

  /** JSON text; '' where the transaction judged no steps. */
  @Column('text')
  verdicts!: string;

  @BytesColumn({ nullable: true })
  envelope!: Uint8Array | null;
}

/** What the valid transactions of the channel have written: bytes of public keys, hashes of owned ones. */
@Entity('fabric_state')
export class FabricStateEntity {
  @CodeUnitColumn({ primary: true })
  key!: string;

  @BytesColumn()
  value!: Uint8Array;
}

/** An act of ours that the endorsers refused. */
@Entity('fabric_refusal')
export class FabricRefusalEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('text')
  fn!: string;

  /** JSON text, exact. */
  @Column('text')
  args!: string;

  @Column('text')
  code!: string;

  /** Where the refusal lies: a rule, a field, or `steps/3,7`. */
  @Column('text')
  place!: string;

  @Column('text')
  time!: string;

  @CountColumn()
  height!: number;
}

export const fabricEntities = [FabricBlockEntity, FabricTxEntity, FabricStateEntity, FabricRefusalEntity];

import { Column, Entity, PrimaryColumn } from 'typeorm';
import { BytesColumn, CodeUnitColumn, CountColumn } from '../role/columns.js';

/** A block of the embedded ledger and what executing it gave: exact texts. */
@Entity('ledger_block')
export class LedgerBlockEntity {
  @CountColumn({ primary: true })
  number!: number;

  @Column('text')
  header!: string;

  @Column('text')
  results!: string;

  @Column('text', { name: 'results_hash' })
  resultsHash!: string;

  @Column('text', { name: 'state_hash' })
  stateHash!: string;
}

@Entity('ledger_tx')
export class LedgerTxEntity {
  @CountColumn({ primary: true })
  block!: number;

  @PrimaryColumn('integer')
  index!: number;

  @Column('uuid')
  id!: string;

  @Column('text')
  jws!: string;

  /** JSON text; '' where the transaction judged no steps. */
  @Column('text')
  verdicts!: string;
}

@Entity('ledger_state')
export class LedgerStateEntity {
  @CodeUnitColumn({ primary: true })
  key!: string;

  @BytesColumn()
  value!: Uint8Array;
}

@Entity('ledger_attestation')
export class LedgerAttestationEntity {
  @CountColumn({ primary: true })
  block!: number;

  @CodeUnitColumn({ primary: true })
  org!: string;

  @CodeUnitColumn({ primary: true })
  digest!: string;

  @Column('text')
  jws!: string;
}

/** How far the orderer's list of attestations was read: one row. */
@Entity('ledger_cursor')
export class LedgerCursorEntity {
  @PrimaryColumn('boolean', { default: true })
  singleton!: boolean;

  @CountColumn()
  cursor!: number;
}

export const ledgerEntities = [LedgerBlockEntity, LedgerTxEntity, LedgerStateEntity, LedgerAttestationEntity, LedgerCursorEntity];

import { Column, Entity, PrimaryColumn } from 'typeorm';
import { BytesColumn, CodeUnitColumn, InstantColumn } from '../role/columns.js';

/** A foreign record shown, not owned. The row stays as evidence when its key and resources are destroyed. */
@Entity('view')
export class ViewRowEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'transfer_id', unique: true })
  transferId!: string;

  @Column('uuid', { name: 'permit_id' })
  permitId!: string;

  @Column('text')
  custodian!: string;

  @Column('text')
  purpose!: string;

  @Column('text', { name: 'case_id' })
  caseId!: string;

  @Column('text', { name: 'opened_for' })
  openedFor!: string;

  @Column('text', { name: 'patient_handle' })
  patientHandle!: string;

  @InstantColumn()
  until!: string;

  @Column('uuid', { name: 'key_id' })
  keyId!: string;

  @Column('text')
  state!: 'open' | 'destroyed' | 'amended';
}

@Entity('view_resource')
export class ViewResourceEntity {
  @PrimaryColumn('uuid', { name: 'view_id' })
  viewId!: string;

  @PrimaryColumn('text')
  type!: string;

  @CodeUnitColumn({ primary: true })
  id!: string;

  /** Exact JSON text, encrypted. */
  @BytesColumn()
  body!: Uint8Array;
}

@Entity('edge_transfer')
export class EdgeTransferEntity {
  @PrimaryColumn('uuid', { name: 'transfer_id' })
  transferId!: string;

  @Column('text')
  kind!: 'match' | 'record';

  @Column('text')
  country!: string;

  @Column('text')
  state!: 'asked' | 'viewed' | 'matched' | 'none' | 'failed' | 'ended';

  @Column('text', { name: 'requested_by' })
  requestedBy!: string;

  @Column('text', { name: 'case_id' })
  caseId!: string;

  @Column('uuid', { name: 'key_id' })
  keyId!: string;

  /** JSON, encrypted. */
  @BytesColumn()
  data!: Uint8Array;

  @InstantColumn({ name: 'created_at' })
  createdAt!: string;
}

@Entity('patient_link')
export class PatientLinkEntity {
  @PrimaryColumn('text')
  handle!: string;

  @Column('text')
  country!: string;

  @Column('uuid', { name: 'key_id' })
  keyId!: string;

  /** JSON, encrypted. */
  @BytesColumn()
  traits!: Uint8Array;

  @Column('uuid', { nullable: true })
  local!: string | null;
}

export const viewEntities = [ViewRowEntity, ViewResourceEntity, EdgeTransferEntity, PatientLinkEntity];

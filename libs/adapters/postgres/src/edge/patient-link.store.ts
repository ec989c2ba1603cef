import type { SearchTraits } from '@portolan/contracts';
import type { PatientLink, PatientLinkStore, PersonId } from '@portolan/domain';
import type { Bodies, Place } from '../bodies/bodies.js';
import type { Sql } from '../connect/sql.js';
import { PatientLinkEntity } from './view.entities.js';

const place = (handle: string): Place => ({ table: 'patient_link', id: handle });

export class PostgresPatientLinkStore implements PatientLinkStore {
  constructor(
    private readonly sql: Sql,
    private readonly bodies: Bodies,
  ) {}

  /** Replaces the link of the same handle: confirming and undoing are both a put. */
  async put({ handle, country, keyId, traits, local }: PatientLink): Promise<void> {
    const sealed = await this.bodies.sealJson(keyId, traits, place(handle));
    await this.sql.later(
      `INSERT INTO patient_link (handle, country, key_id, traits, local) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (handle) DO UPDATE SET country = excluded.country, key_id = excluded.key_id, traits = excluded.traits, local = excluded.local`,
      [handle, country, keyId, sealed, local ?? null],
    );
  }

  /** Undefined also where its key is destroyed. */
  async get(handle: string): Promise<PatientLink | undefined> {
    const row = await this.sql.manager.findOneBy(PatientLinkEntity, { handle });
    const traits = row && ((await this.bodies.openJson(row.keyId, row.traits, place(handle))) as SearchTraits | undefined);
    if (row === null || traits == null) return undefined;
    return { handle, country: row.country, keyId: row.keyId, traits, local: (row.local ?? undefined) as PersonId | undefined };
  }
}

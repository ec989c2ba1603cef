import type { Instant, Uuid } from '@portolan/contracts';
import type { ConsentRow, GroundStore, PersonId, RestrictionRow } from '@portolan/domain';
import type { Bodies } from '../bodies/bodies.js';
import type { Sql } from '../connect/sql.js';
import { ofSamePerson } from '../edge/same-person.js';
import { ConsentEntity, RestrictionEntity } from './exchange.entities.js';

/** What the person said. Rows are ended, never overwritten; those whose key is destroyed are not told any more. */
export class PostgresGroundStore implements GroundStore {
  constructor(
    private readonly sql: Sql,
    private readonly bodies: Bodies,
  ) {}

  /** Throws `store.conflict` for an id that is there already. */
  async putConsent(row: ConsentRow): Promise<void> {
    const text = await this.bodies.sealText(row.keyId, row.text, { table: 'consent', id: row.id });
    await this.sql.manager.insert(ConsentEntity, { ...row, text: Buffer.from(text) });
  }

  /** All versions, oldest first. */
  async consents(person: PersonId): Promise<readonly ConsentRow[]> {
    const rows = await this.sql.manager.find(ConsentEntity, {
      where: { person: ofSamePerson(person) },
      order: { version: 'ASC', at: 'ASC' },
    });
    const consents: ConsentRow[] = [];
    for (const { id, version, person: entry, state, keyId, text: sealed, at } of rows) {
      const text = await this.bodies.openText(keyId, sealed, { table: 'consent', id });
      if (text !== undefined) consents.push({ id, version, person: entry as PersonId, state, keyId, text, at });
    }
    return consents;
  }

  async endConsent(id: Uuid, state: 'withdrawn' | 'replaced', at: Instant): Promise<boolean> {
    const ended = await this.sql.manager.update(ConsentEntity, { id, state: 'live' }, { state, endedAt: at });
    return ended.affected === 1;
  }

  /** Throws `store.conflict` for an id that is there already. */
  async putRestriction(row: RestrictionRow): Promise<void> {
    const text = await this.bodies.sealText(row.keyId, row.text, { table: 'restriction', id: row.id });
    await this.sql.manager.insert(RestrictionEntity, { ...row, text: Buffer.from(text) });
  }

  /** All, lifted ones too, oldest first. */
  async restrictions(person: PersonId): Promise<readonly RestrictionRow[]> {
    const rows = await this.sql.manager.find(RestrictionEntity, { where: { person: ofSamePerson(person) }, order: { at: 'ASC' } });
    const restrictions: RestrictionRow[] = [];
    for (const { id, person: entry, state, keyId, text: sealed, at } of rows) {
      const text = await this.bodies.openText(keyId, sealed, { table: 'restriction', id });
      if (text !== undefined) restrictions.push({ id, person: entry as PersonId, state, keyId, text, at });
    }
    return restrictions;
  }

  async liftRestriction(id: Uuid, at: Instant): Promise<boolean> {
    const lifted = await this.sql.manager.update(RestrictionEntity, { id, state: 'live' }, { state: 'lifted', liftedAt: at });
    return lifted.affected === 1;
  }
}

import type { Instant, Uuid } from '@portolan/contracts';
import type { EmergencyRow, EmergencyStore } from '@portolan/domain';
import { LessThanOrEqual } from 'typeorm';
import type { Bodies, Place } from '../bodies/bodies.js';
import type { Sql } from '../connect/sql.js';
import { EmergencyEntity } from './exchange.entities.js';

const place = (id: string): Place => ({ table: 'emergency', id });

/** Emergencies that this country declared, with what their commitments and those of their reviews cover. */
export class PostgresEmergencyStore implements EmergencyStore {
  constructor(
    private readonly sql: Sql,
    private readonly bodies: Bodies,
  ) {}

  async declare({ id, custodian, declared, until, reviewDue, state, keyId, text }: EmergencyRow): Promise<boolean> {
    const sealed = await this.bodies.sealText(keyId, text, place(id));
    const added = await this.sql.affected(
      `INSERT INTO emergency (id, custodian, declared, until, review_due, state, key_id, text)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
      [id, custodian, declared, until, reviewDue, state, keyId, Buffer.from(sealed)],
    );
    return added === 1;
  }

  async get(id: Uuid): Promise<EmergencyRow | undefined> {
    const row = await this.sql.manager.findOneBy(EmergencyEntity, { id });
    return row === null ? undefined : this.opened(row);
  }

  async end(id: Uuid): Promise<boolean> {
    return (await this.sql.manager.update(EmergencyEntity, { id, state: 'declared' }, { state: 'ended' })).affected === 1;
  }

  async review(id: Uuid, text: string): Promise<boolean> {
    const row = await this.sql.manager.findOneBy(EmergencyEntity, { id, state: 'ended' });
    if (row === null) return false;
    const review = Buffer.from(await this.bodies.sealText(row.keyId, text, place(id)));
    return (await this.sql.manager.update(EmergencyEntity, { id, state: 'ended' }, { state: 'reviewed', review })).affected === 1;
  }

  async overAt(now: Instant, limit: number): Promise<readonly EmergencyRow[]> {
    const where = { state: 'declared' as const, until: LessThanOrEqual(now) };
    return this.all(await this.sql.manager.find(EmergencyEntity, { where, order: { until: 'ASC' }, take: limit }));
  }

  async unreviewed(now: Instant, limit: number): Promise<readonly EmergencyRow[]> {
    const where = [{ state: 'ended' as const }, { state: 'declared' as const, until: LessThanOrEqual(now) }];
    return this.all(await this.sql.manager.find(EmergencyEntity, { where, order: { reviewDue: 'ASC' }, take: limit }));
  }

  private async all(rows: readonly EmergencyEntity[]): Promise<EmergencyRow[]> {
    const opened: EmergencyRow[] = [];
    for (const row of rows) opened.push(await this.opened(row));
    return opened;
  }

  /** The text of one whose key is destroyed reads as empty; the emergency itself names nobody, and still owes its review. */
  private async opened({ id, custodian, declared, until, reviewDue, state, keyId, text }: EmergencyEntity): Promise<EmergencyRow> {
    const opened = (await this.bodies.openText(keyId, text, place(id))) ?? '';
    return { id, custodian, declared, until, reviewDue, state, keyId, text: opened };
  }
}

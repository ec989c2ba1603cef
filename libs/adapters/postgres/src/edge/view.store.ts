import type { Instant, Uuid } from '@portolan/contracts';
import type { TransferId, View, ViewId, ViewResource, ViewStore } from '@portolan/domain';
import type { FindOptionsWhere } from 'typeorm';
import { In, LessThanOrEqual, Not } from 'typeorm';
import type { Bodies, Place } from '../bodies/bodies.js';
import type { Plain, Sql } from '../connect/sql.js';
import type { PostgresKeyStore } from '../role/key.store.js';
import { ViewResourceEntity, ViewRowEntity } from './view.entities.js';

const place = (view: string, { type, id }: { type: string; id: string }): Place => ({
  table: 'view_resource',
  id: `${view}/${type}/${id}`,
});

/** Views of foreign records, each under a key of its own that goes with it. */
export class PostgresViewStore implements ViewStore {
  constructor(
    private readonly sql: Sql,
    private readonly bodies: Bodies,
    private readonly keys: Pick<PostgresKeyStore, 'destroy'>,
  ) {}

  /** The ones that ended first come first. */
  async expired(now: Instant, limit: number): Promise<readonly View[]> {
    const where = { until: LessThanOrEqual(now), state: Not('destroyed' as const) };
    return (await this.sql.manager.find(ViewRowEntity, { where, order: { until: 'ASC' }, take: limit })).map(viewOf);
  }

  /** Throws `store.conflict` where the transfer has its view already. */
  async put(view: View, resources: readonly ViewResource[]): Promise<void> {
    await this.sql.laterBy(
      this.sql.builder
        .insert()
        .into(ViewRowEntity)
        .values({ ...view }),
    );
    const bodies: Buffer[] = [];
    for (const resource of resources)
      bodies.push(Buffer.from(await this.bodies.sealText(view.keyId, resource.text, place(view.id, resource))));
    await this.sql.later(
      'INSERT INTO view_resource (view_id, type, id, body) SELECT $1, * FROM unnest($2::text[], $3::text[], $4::bytea[])',
      [view.id, resources.map(({ type }) => type), resources.map(({ id }) => id), bodies],
    );
  }

  async get(id: ViewId): Promise<View | undefined> {
    return (await this.find({ id }))[0];
  }

  async byTransfer(transferId: TransferId): Promise<View | undefined> {
    return (await this.find({ transferId }))[0];
  }

  /** Destroyed ones too: that they were there may be told. */
  async byPatient(patientHandle: string): Promise<readonly View[]> {
    return this.find({ patientHandle });
  }

  async showing(type: string, id: string): Promise<readonly View[]> {
    const rows = await this.sql.manager.find(ViewResourceEntity, { select: { viewId: true }, where: { type, id } });
    return rows.length === 0 ? [] : this.find({ id: In(rows.map(({ viewId }) => viewId)) });
  }

  async byPermit(permitId: Uuid): Promise<readonly View[]> {
    return this.find({ permitId, state: Not('destroyed' as const) });
  }

  async resources(id: ViewId): Promise<readonly ViewResource[]> {
    const view = await this.get(id);
    if (view === undefined) return [];
    const resources: ViewResource[] = [];
    for (const row of await this.sql.manager.find(ViewResourceEntity, { where: { viewId: id }, order: { type: 'ASC', id: 'ASC' } })) {
      const text = await this.bodies.openText(view.keyId, row.body, place(id, row));
      if (text !== undefined) resources.push({ type: row.type, id: row.id, text });
    }
    return resources;
  }

  /** What is destroyed stays so. */
  async mark(id: ViewId, state: View['state']): Promise<void> {
    await this.sql.manager.update(ViewRowEntity, { id, state: Not('destroyed' as const) }, { state });
  }

  async destroy(id: ViewId): Promise<void> {
    const view = await this.get(id);
    if (view === undefined) return;
    await this.keys.destroy(view.keyId);
    await this.sql.manager.delete(ViewResourceEntity, { viewId: id });
    await this.sql.manager.update(ViewRowEntity, { id }, { state: 'destroyed' });
  }

  private async find(where: FindOptionsWhere<ViewRowEntity>): Promise<readonly View[]> {
    const rows = await this.sql.manager.find(ViewRowEntity, { where, order: { until: 'DESC', id: 'ASC' } });
    return rows.map(viewOf);
  }
}

const viewOf = (row: Plain<ViewRowEntity>): View => ({ ...row, id: row.id as ViewId, transferId: row.transferId as TransferId });

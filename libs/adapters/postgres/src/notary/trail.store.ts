import { PortolanError, type Instant, type Kid, type OrgId, type Uuid } from '@portolan/contracts';
import { endSteps, type RegisteredKey, type TrailFilter, type TrailPlace, type TrailStep, type TrailStore } from '@portolan/domain';
import { In, IsNull } from 'typeorm';
import { fence } from '../connect/leases.js';
import type { Plain, Sql } from '../connect/sql.js';
import { trailPage } from './trail-page.js';
import { TrailHeadEntity, TrailKeyEntity, TrailPermitEntity, TrailStepEntity } from './trail.entities.js';

type Permit = Parameters<TrailStore['putPermit']>[0];
type Head = Parameters<TrailStore['putHead']>[0];

const PUT_PERMIT = {
  text: `INSERT INTO trail_permit (id, custodian, recipient, purpose, until, block)
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::bigint[]) ON CONFLICT DO NOTHING`,
};

/** Read model of the channel. Each write may come again with the same content: a block is indexed in one transaction with its checkpoint. */
export class PostgresTrailStore implements TrailStore {
  constructor(private readonly sql: Sql) {}

  async checkpoint(): Promise<number> {
    const row = await this.sql.first<{ block: string }>('SELECT block FROM trail_checkpoint');
    return row === undefined ? -1 : Number(row.block);
  }

  async advance(block: number, fencing: number): Promise<void> {
    await fence(this.sql, 'indexer', fencing);
    const moved = await this.sql.affected(
      `INSERT INTO trail_checkpoint AS c (block) VALUES ($1) ON CONFLICT (singleton) DO UPDATE SET block = excluded.block WHERE c.block < excluded.block`,
      [block],
    );
    if (moved === 0) throw new PortolanError('store.conflict', `trail block ${block}`);
  }

  async putSteps(steps: readonly TrailStep[]): Promise<void> {
    const rows = steps.map((step) => ({
      ...step,
      permitId: step.permitId ?? null,
      purpose: step.purpose ?? null,
      reason: step.reason ?? null,
      alarm: step.alarm ?? null,
    }));
    await this.insert(TrailStepEntity, rows);
  }

  async counting(transferIds: readonly Uuid[]): Promise<readonly TrailStep[]> {
    const where = { transferId: In([...transferIds]), step: In(['released', ...endSteps]), alarm: IsNull() };
    return (await this.sql.manager.find(TrailStepEntity, { where, order: { block: 'ASC', position: 'ASC' } })).map(trailStep);
  }

  async putPermit({ id, custodian, recipient, purpose, until, block }: Permit): Promise<void> {
    await this.sql.laterRow(PUT_PERMIT, [id, custodian, recipient, purpose, until, block], id);
  }

  async endPermit(id: Uuid, at: Instant, block: number): Promise<void> {
    await this.sql.later('UPDATE trail_permit SET ended_at = $2, end_block = $3 WHERE id = $1 AND ended_at IS NULL', [id, at, block]);
  }

  async permit(id: Uuid): ReturnType<TrailStore['permit']> {
    const row = await this.sql.manager.findOneBy(TrailPermitEntity, { id });
    if (row === null) return undefined;
    const { custodian, recipient, purpose, until, endedAt } = row;
    return { id, custodian, recipient, purpose, until, endedAt: endedAt ?? undefined };
  }

  async putKey(key: RegisteredKey): Promise<void> {
    await this.insert(TrailKeyEntity, [{ ...key, endedAt: key.endedAt ?? null }]);
  }

  async endKey(org: OrgId, kid: Kid, at: Instant): Promise<void> {
    await this.sql.later('UPDATE trail_key SET ended_at = $3 WHERE org = $1 AND kid = $2 AND ended_at IS NULL', [org, kid, at]);
  }

  async keys(org: OrgId, use: RegisteredKey['use']): Promise<readonly RegisteredKey[]> {
    const rows: readonly Plain<TrailKeyEntity>[] = await this.sql.manager.find(TrailKeyEntity, {
      where: { org, use },
      order: { notBefore: 'DESC', kid: 'ASC' },
    });
    return rows.map((row) => ({ ...row, endedAt: row.endedAt ?? undefined }));
  }

  async steps(filter: TrailFilter, limit: number, behind?: TrailPlace): Promise<readonly TrailStep[]> {
    return trailPage(this.sql, filter, limit, behind);
  }

  async leaves(org: OrgId, batch: number): Promise<readonly string[]> {
    const rows = await this.sql.manager.find(TrailStepEntity, { where: { org, batch }, order: { index: 'ASC' } });
    return rows.map(({ leaf }) => leaf);
  }

  async putHead({ org, seq, txId, block, fromBatch, toBatch }: Head): Promise<void> {
    await this.insert(TrailHeadEntity, [{ org, seq, txId, block, fromBatch, toBatch }]);
  }

  /** Heads of an organisation cover its batches one after the other: the first that ends at this one or later, if it begins before. */
  async headOf(org: OrgId, batch: number): ReturnType<TrailStore['headOf']> {
    const query = this.sql.manager
      .createQueryBuilder(TrailHeadEntity, 'head')
      .where('head.org = :org AND head.toBatch >= :batch', { org, batch });
    const row = await query.orderBy('head.toBatch').limit(1).getOne();
    return row === null || row.fromBatch > batch ? undefined : { seq: row.seq, txId: row.txId, block: row.block };
  }

  private async insert<Row extends object>(entity: new () => Row, rows: readonly Partial<Row>[]): Promise<void> {
    if (rows.length === 0) return;
    await this.sql.laterBy(
      this.sql.builder
        .insert()
        .into(entity)
        .values(rows as never)
        .orIgnore(),
    );
  }
}

const trailStep = (row: Plain<TrailStepEntity>): TrailStep => ({
  ...row,
  permitId: row.permitId ?? undefined,
  purpose: row.purpose ?? undefined,
  reason: row.reason ?? undefined,
  alarm: (row.alarm ?? undefined) as TrailStep['alarm'],
});

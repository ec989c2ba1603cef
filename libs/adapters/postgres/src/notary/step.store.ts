import { PortolanError, type Instant, type Uuid } from '@portolan/contracts';
import type { MissingStep, StepName, StepRow, StepStore } from '@portolan/domain';
import { IsNull, Raw, type FindOptionsWhere } from 'typeorm';
import { fence } from '../connect/leases.js';
import type { Sql } from '../connect/sql.js';
import { StepEntity } from './notary.entities.js';

/** When a late step happened, as its leaf says: the expression of the index step_late. */
const LATE_AT = `substring(leaf from '"time":"([^"]{24})"')`;

const ACCEPT = {
  text: `UPDATE step SET state = 'accepted', leaf_index = a.index, code = NULL
    FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::integer[]) AS a (transfer_id, step, act, index)
    WHERE step.transfer_id = a.transfer_id AND step.step = a.step AND step.act IS NOT DISTINCT FROM a.act`,
};

export class PostgresStepStore implements StepStore {
  constructor(private readonly sql: Sql) {}

  async add({ transferId, step, act, leaf, evidence }: Parameters<StepStore['add']>[0]): Promise<boolean> {
    const added = await this.sql.affected(
      `INSERT INTO step (transfer_id, step, act, leaf, evidence, next_at) VALUES ($1, $2, $3, $4, $5, clock_timestamp()) ON CONFLICT DO NOTHING`,
      [transferId, step, act ?? null, leaf, evidence === undefined ? null : JSON.stringify(evidence)],
    );
    if (added === 1) this.sql.wake('steps');
    return added === 1;
  }

  async pending(limit: number): Promise<readonly StepRow[]> {
    const due = Raw((column) => `${column} <= clock_timestamp()`);
    const rows = await this.sql.manager.find(StepEntity, { where: { state: 'pending', nextAt: due }, order: { seq: 'ASC' }, take: limit });
    return rows.map(stepRow);
  }

  async batch(n: number, steps: readonly StepName[], fencing: number): Promise<void> {
    await fence(this.sql, 'batcher', fencing);
    const batched = await this.sql.affected(
      `UPDATE step SET state = 'batched', batch = $1, position = chosen.place - 1, code = NULL
       FROM unnest($2::uuid[], $3::text[], $4::uuid[]) WITH ORDINALITY AS chosen (transfer_id, step, act, place)
       WHERE step.transfer_id = chosen.transfer_id AND step.step = chosen.step AND step.act IS NOT DISTINCT FROM chosen.act
         AND step.state = 'pending'`,
      [n, steps.map(({ transferId }) => transferId), steps.map(({ step }) => step), steps.map(({ act }) => act ?? null)],
    );
    if (batched !== steps.length) throw new PortolanError('store.conflict', `batch ${n}`, 'a step is not pending');
  }

  async ofBatch(n: number): Promise<readonly StepRow[]> {
    return (await this.sql.manager.find(StepEntity, { where: { batch: n }, order: { position: 'ASC' } })).map(stepRow);
  }

  async accept(step: StepName, index: number, fencing: number): Promise<void> {
    await fence(this.sql, 'batcher', fencing);
    await this.sql.laterRow(
      ACCEPT,
      [step.transferId, step.step, step.act ?? null, index],
      `${step.transferId} ${step.step} ${step.act ?? ''}`,
    );
  }

  async reject(step: StepName, code: string, fencing: number): Promise<void> {
    await fence(this.sql, 'batcher', fencing);
    await this.sql.laterBy(this.sql.builder.update(StepEntity).set({ state: 'rejected', code }).where(named(step)));
  }

  async again({ transferId, step, act }: StepName, delayMs: number, fencing: number): Promise<void> {
    await fence(this.sql, 'batcher', fencing);
    await this.sql.later(
      `UPDATE step SET state = 'pending', batch = NULL, position = NULL, leaf_index = NULL, next_at = clock_timestamp() + $4 * interval '1 ms'
       WHERE transfer_id = $1 AND step = $2 AND act IS NOT DISTINCT FROM $3`,
      [transferId, step, act ?? null, delayMs],
    );
    this.sql.wake('steps');
  }

  async get(step: StepName): Promise<StepRow | undefined> {
    const row = await this.sql.manager.findOneBy(StepEntity, named(step));
    return row === null ? undefined : stepRow(row);
  }

  /** A refused one is missing at once: nobody will bring it to the channel any more. */
  async missing(before: Instant, limit: number): Promise<readonly MissingStep[]> {
    const rows = await this.sql.rows<{ transfer_id: Uuid; step: string; late_at: Instant; code: string | null }>(
      `SELECT transfer_id, step, ${LATE_AT} AS late_at, code FROM step
       WHERE leaf LIKE '%"late":"%' AND state <> 'accepted' AND (${LATE_AT} < $1 OR state = 'rejected') ORDER BY 3 LIMIT $2`,
      [before, limit],
    );
    return rows.map(({ transfer_id: transferId, step, late_at: time, code }) => ({ transferId, step, time, code: code ?? undefined }));
  }
}

const named = ({ transferId, step, act }: StepName): FindOptionsWhere<StepEntity> => ({ transferId, step, act: act ?? IsNull() });

const stepRow = ({ transferId, step, act, leaf, evidence, state, batch, index, code }: StepEntity): StepRow => ({
  transferId,
  step,
  ...(act === null ? {} : { act }),
  leaf,
  evidence: evidence === null ? undefined : (JSON.parse(evidence) as unknown),
  state,
  batch: batch ?? undefined,
  index: index ?? undefined,
  code: code ?? undefined,
});

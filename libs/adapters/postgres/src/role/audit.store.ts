import { createHash } from 'node:crypto';
import type { AuditFilter, AuditRow, AuditStore } from '@portolan/domain';
import type { SelectQueryBuilder } from 'typeorm';
import type { Bodies, Place } from '../bodies/bodies.js';
import type { Sql } from '../connect/sql.js';
import { AuditEventEntity } from './role.entities.js';

type Listed = Awaited<ReturnType<AuditStore['list']>>[number];

const place = (id: string): Place => ({ table: 'audit_event', id });

// In the order in which they came: its number is an event's place in the list.
const APPEND = {
  text: `INSERT INTO audit_event (id, at, type, outcome, person, transfer_id, key_id, body, leaf_hash)
    SELECT id, at, type, outcome, person, transfer_id, key_id, body, leaf_hash
    FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::uuid[], $6::uuid[], $7::uuid[], $8::bytea[], $9::bytea[])
      WITH ORDINALITY AS e (id, at, type, outcome, person, transfer_id, key_id, body, leaf_hash, place) ORDER BY place`,
};

export class PostgresAuditStore implements AuditStore {
  constructor(
    private readonly sql: Sql,
    private readonly bodies: Bodies,
  ) {}

  /** Throws `store.conflict` for an id that is there already. */
  async append({ body, person, transferId, ...row }: AuditRow): Promise<{ leafHash: string }> {
    const sealed = await this.bodies.sealText(row.keyId, body, place(row.id));
    const leafHash = leafHashOf(sealed);
    const { id, at, type, outcome, keyId } = row;
    await this.sql.laterRow(APPEND, [id, at, type, outcome, person ?? null, transferId ?? null, keyId, sealed, leafHash]);
    return { leafHash: leafHash.toString('hex') };
  }

  async list(filter: AuditFilter, limit: number, beforeSeq?: string): Promise<readonly Listed[]> {
    const query = this.sql.manager.createQueryBuilder(AuditEventEntity, 'event').orderBy('event.seq', 'DESC').limit(limit);
    if (beforeSeq !== undefined) query.andWhere('event.seq < :beforeSeq', { beforeSeq });
    const rows = await narrowed(query, filter).getMany();
    await this.bodies.load(rows.map(({ keyId }) => keyId));
    const events: Listed[] = [];
    for (const { seq, id, at, type, outcome, person, transferId, keyId, body, leafHash } of rows) {
      const shown = {
        seq,
        id,
        at,
        type,
        outcome,
        person: (person ?? undefined) as AuditRow['person'],
        transferId: transferId ?? undefined,
      };
      const text = await this.bodies.openText(keyId, body, place(id));
      events.push({ ...shown, body: text, leafHash: Buffer.from(leafHash).toString('hex') });
    }
    return events;
  }
}

function narrowed(query: SelectQueryBuilder<AuditEventEntity>, filter: AuditFilter): SelectQueryBuilder<AuditEventEntity> {
  const { person, transferId, type } = filter;
  if (person !== undefined) query.andWhere('event.person = :person', { person });
  if (transferId !== undefined) query.andWhere('event.transferId = :transferId', { transferId });
  if (type !== undefined) query.andWhere('event.type = :type', { type });
  return query;
}

/** RFC 6962 section 2.1: SHA-256 of a zero byte and the leaf's bytes, here the ciphertext, so that erasure leaves the log whole. */
function leafHashOf(ciphertext: Uint8Array): Buffer {
  return createHash('sha256')
    .update(new Uint8Array([0]))
    .update(ciphertext)
    .digest();
}

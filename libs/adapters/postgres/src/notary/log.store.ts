import { PortolanError, type Sha256, type Uuid } from '@portolan/contracts';
import type { LogStore } from '@portolan/domain';
import { fence } from '../connect/leases.js';
import type { Sql } from '../connect/sql.js';
import { LogLeafEntity, LogQueueEntity } from './notary.entities.js';

type Leaf = Parameters<LogStore['append']>[1][number];
type Node = Parameters<LogStore['putNodes']>[0][number];

const ENQUEUE = {
  text: `INSERT INTO log_queue (event_id, leaf_hash) SELECT event_id, leaf_hash
    FROM unnest($1::uuid[], $2::text[]) WITH ORDINALITY AS q (event_id, leaf_hash, place) ORDER BY place ON CONFLICT (event_id) DO NOTHING`,
};

/** The country's Merkle log: leaves and the hashes of perfect subtrees, both written once. */
export class PostgresLogStore implements LogStore {
  constructor(private readonly sql: Sql) {}

  async enqueue(eventId: Uuid, leafHash: Sha256): Promise<void> {
    await this.sql.laterRow(ENQUEUE, [eventId, leafHash]);
    this.sql.wake('log');
  }

  async queued(limit: number): Promise<readonly { eventId: Uuid; leafHash: Sha256 }[]> {
    const rows = await this.sql.manager.find(LogQueueEntity, { where: { appended: false }, order: { seq: 'ASC' }, take: limit });
    return rows.map(({ eventId, leafHash }) => ({ eventId, leafHash }));
  }

  async size(): Promise<number> {
    const row = await this.sql.first<{ size: string }>('SELECT coalesce(max(index) + 1, 0) AS size FROM log_leaf');
    return Number(row?.size);
  }

  async append(index: number, leaves: readonly Leaf[], fencing: number): Promise<void> {
    await fence(this.sql, 'sequencer', fencing);
    const events = leaves.map(({ eventId }) => eventId);
    const appended = await this.sql.affected(
      `INSERT INTO log_leaf (index, event_id, leaf_hash)
       SELECT $1::bigint + place - 1, event_id, leaf_hash FROM unnest($2::uuid[], $3::text[]) WITH ORDINALITY AS l (event_id, leaf_hash, place)
       WHERE $1::bigint = (SELECT coalesce(max(index) + 1, 0) FROM log_leaf)`,
      [index, events, leaves.map(({ leafHash }) => leafHash)],
    );
    if (appended !== leaves.length) throw new PortolanError('store.conflict', `log leaf ${index}`);
    await this.sql.later('UPDATE log_queue SET appended = true WHERE event_id = ANY ($1::uuid[])', [events]);
  }

  async putNodes(nodes: readonly Node[]): Promise<void> {
    await this.sql.later(
      'INSERT INTO log_node (level, index, hash) SELECT * FROM unnest($1::integer[], $2::bigint[], $3::text[]) ON CONFLICT DO NOTHING',
      [nodes.map(({ level }) => level), nodes.map(({ index }) => index), nodes.map(({ hash }) => hash)],
    );
  }

  async nodes(wanted: readonly { level: number; index: number }[]): Promise<readonly (Sha256 | undefined)[]> {
    const rows = await this.sql.rows<{ hash: Sha256 | null }>(
      `SELECT node.hash FROM unnest($1::integer[], $2::bigint[]) WITH ORDINALITY AS wanted (level, index, place)
       LEFT JOIN log_node node ON node.level = wanted.level AND node.index = wanted.index ORDER BY wanted.place`,
      [wanted.map(({ level }) => level), wanted.map(({ index }) => index)],
    );
    return rows.map(({ hash }) => hash ?? undefined);
  }

  async indexOf(eventId: Uuid): Promise<number | undefined> {
    return (await this.sql.manager.findOneBy(LogLeafEntity, { eventId }))?.index;
  }
}

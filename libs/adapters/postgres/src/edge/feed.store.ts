import type { FeedEntry, FeedStore, PersonId } from '@portolan/domain';
import { MoreThan } from 'typeorm';
import type { Bodies, Place } from '../bodies/bodies.js';
import type { Plain, Sql } from '../connect/sql.js';
import { ofSamePerson } from './same-person.js';
import { FeedEntryEntity } from './edge.entities.js';

const place = (id: string): Place => ({ table: 'feed_entry', id });

export class PostgresFeedStore implements FeedStore {
  constructor(
    private readonly sql: Sql,
    private readonly bodies: Bodies,
  ) {}

  /** One person's entries commit in the order of their numbers: who read up to a number has missed none before it. */
  async append({ id, person, at, keyId, body }: FeedEntry): Promise<boolean> {
    await this.sql.later(
      `SELECT pg_advisory_xact_lock(hashtextextended('feed ' || coalesce((SELECT p.merged_into FROM person p WHERE p.id = $1), $1), 0))`,
      [person],
    );
    const sealed = await this.bodies.sealJson(keyId, body, place(id));
    const appended = await this.sql.affected(
      'INSERT INTO feed_entry (id, person, at, key_id, body) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING',
      [id, person, at, keyId, sealed],
    );
    if (appended === 1) this.sql.wake('feed');
    return appended === 1;
  }

  async after(person: PersonId, after: string, limit: number): Promise<readonly (FeedEntry & { seq: string })[]> {
    const where = { person: ofSamePerson(person), seq: MoreThan(after) };
    const entries: (FeedEntry & { seq: string })[] = [];
    const rows: readonly Plain<FeedEntryEntity>[] = await this.sql.manager.find(FeedEntryEntity, {
      where,
      order: { seq: 'ASC' },
      take: limit,
    });
    for (const row of rows) {
      entries.push({ ...row, person: row.person as PersonId, body: await this.bodies.openJson(row.keyId, row.body, place(row.id)) });
    }
    return entries;
  }
}

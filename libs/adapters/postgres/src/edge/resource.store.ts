import { PortolanError, type DataCategory } from '@portolan/contracts';
import type { PersonId, ResourceStore, ResourceVersion, SearchQuery, SearchValue, StandingAge, StandingResource } from '@portolan/domain';
import type { Bodies } from '../bodies/bodies.js';
import type { Sql } from '../connect/sql.js';
import { CURRENT, openVersions, resourcesOfPerson, VERSION_COLUMNS, versionPlace, type VersionRow } from './resource-queries.js';
import { searchIds } from './search/search-ids.js';
import { putSearchValues } from './search/search-values.js';

type Put = Omit<ResourceVersion, 'versionId'>;
type Head = Pick<ResourceVersion, 'versionId' | 'sha256' | 'deleted'> & { readonly erased: boolean };

const HEAD = 'version_id AS "versionId", sha256, deleted, erased';

// Arrays of arrays must be of one length, so categories go as JSON.
const CONTENT = '$1::text[], $2::text[], $3::integer[], $4::timestamptz[], $5::uuid[], $6::jsonb[], $7::text[], $8::boolean[]';
const CONTENT_NAMES = 'type, id, version_id, last_updated, person, categories, sha256, deleted';

const PUT_VERSION = {
  text: `INSERT INTO resource_version (${CONTENT_NAMES}, key_id, message_id, body)
    SELECT type, id, version_id, last_updated, person, ARRAY(SELECT jsonb_array_elements_text(categories)), sha256, deleted, key_id, message_id, body
    FROM unnest(${CONTENT}, $9::uuid[], $10::uuid[], $11::bytea[]) AS r (${CONTENT_NAMES}, key_id, message_id, body)`,
};

const PUT_HEAD = {
  text: `UPDATE resource SET version_id = r.version_id, last_updated = r.last_updated, person = r.person,
      categories = ARRAY(SELECT jsonb_array_elements_text(r.categories)), sha256 = r.sha256, deleted = r.deleted
    FROM unnest(${CONTENT}) AS r (${CONTENT_NAMES}) WHERE resource.type = r.type AND resource.id = r.id`,
};

const PUT_AGE = {
  text: `UPDATE resource SET content_at = r.content, sent_at = r.sent
    FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[]) AS r (type, id, content, sent)
    WHERE resource.type = r.type AND resource.id = r.id`,
};

const nameOf = ({ type, id }: { type: string; id: string }): string => `${type}/${id}`;

/** Versioned FHIR resources: every version kept, the newest one searched. */
export class PostgresResourceStore implements ResourceStore {
  /** Heads that this transaction has locked, as it has written them since. */
  private readonly heads = new Map<string, Head>();

  constructor(
    private readonly sql: Sql,
    private readonly bodies: Bodies,
  ) {}

  async lock(resources: readonly Put[]): Promise<void> {
    if (resources.length === 0) return;
    const column = (of: (resource: Put) => unknown): unknown[] => resources.map(of);
    const [types, ids] = [column(({ type }) => type), column(({ id }) => id)];
    await this.sql.later(
      `INSERT INTO resource (type, id, version_id, last_updated, person, categories, sha256, deleted)
       SELECT type, id, 0, at, person, ARRAY(SELECT jsonb_array_elements_text(categories)), sha256, false
       FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::uuid[], $5::jsonb[], $6::text[]) AS r (type, id, at, person, categories, sha256)
       ORDER BY type, id ON CONFLICT DO NOTHING`,
      [
        types,
        ids,
        column(({ lastUpdated }) => lastUpdated),
        column(({ person }) => person ?? null),
        column(({ categories }) => JSON.stringify(categories)),
        column(({ sha256 }) => sha256),
      ],
    );
    const heads = await this.sql.rows<Head & { type: string; id: string }>(
      `SELECT type, id, ${HEAD} FROM resource WHERE (type, id) IN (SELECT * FROM unnest($1::text[], $2::text[])) ORDER BY type, id FOR UPDATE`,
      [types, ids],
    );
    for (const { type, id, ...head } of heads) this.heads.set(nameOf({ type, id }), head);
  }

  async standing(wanted: readonly { type: string; id: string }[]): Promise<ReadonlyMap<string, StandingResource>> {
    const rows = await this.sql.rows<VersionRow & { content: Date | null; sent: Date | null }>(
      `SELECT ${VERSION_COLUMNS}, r.content_at AS content, r.sent_at AS sent FROM ${CURRENT}
       WHERE (r.type, r.id) IN (SELECT * FROM unnest($1::text[], $2::text[])) AND NOT r.erased`,
      [wanted.map(({ type }) => type), wanted.map(({ id }) => id)],
    );
    const ages = new Map(rows.map((row) => [nameOf(row), { content: row.content?.toISOString(), sent: row.sent?.toISOString() }]));
    const versions = await openVersions(this.bodies, rows);
    const unknown: StandingAge = { content: undefined, sent: undefined };
    return new Map(versions.map((current) => [nameOf(current), { current, age: ages.get(nameOf(current)) ?? unknown }]));
  }

  /** Throws `store.key-destroyed`, and `store.person-erased` for a resource whose person was erased. */
  async put(resource: Put, search: readonly SearchValue[]): Promise<{ versionId: number; changed: boolean }> {
    const name = nameOf(resource);
    const head = this.heads.get(name) ?? (await this.lockHead(resource));
    if (head.erased) throw new PortolanError('store.person-erased', `${resource.type} resource`);
    const same = head.versionId > 0 && head.sha256 === resource.sha256 && head.deleted === resource.deleted;
    const versionId = same ? head.versionId : head.versionId + 1;
    if (!same) await this.append(resource, versionId);
    this.heads.set(name, { versionId, sha256: resource.sha256, deleted: resource.deleted, erased: false });
    await putSearchValues(this.sql, resource, resource.deleted ? [] : search);
    return { versionId, changed: !same };
  }

  async get(type: string, id: string): Promise<ResourceVersion | undefined> {
    return this.one(`SELECT ${VERSION_COLUMNS} FROM ${CURRENT} WHERE r.type = $1 AND r.id = $2 AND NOT r.erased`, [type, id]);
  }

  async age(type: string, id: string): Promise<StandingAge> {
    const row = await this.sql.first<{ content: Date | null; sent: Date | null }>(
      'SELECT content_at AS content, sent_at AS sent FROM resource WHERE type = $1 AND id = $2',
      [type, id],
    );
    return { content: row?.content?.toISOString(), sent: row?.sent?.toISOString() };
  }

  async setAge(type: string, id: string, { content, sent }: StandingAge): Promise<void> {
    await this.sql.laterRow(PUT_AGE, [type, id, content ?? null, sent ?? null], nameOf({ type, id }));
  }

  async version(type: string, id: string, versionId: number): Promise<ResourceVersion | undefined> {
    const where = 'v.type = $1 AND v.id = $2 AND v.version_id = $3';
    return this.one(`SELECT ${VERSION_COLUMNS} FROM resource_version v WHERE ${where}`, [type, id, versionId]);
  }

  /** Newest first. */
  async history(type: string, id: string, limit: number): Promise<readonly ResourceVersion[]> {
    const rows = await this.sql.rows<VersionRow>(
      `SELECT ${VERSION_COLUMNS} FROM resource_version v WHERE v.type = $1 AND v.id = $2 ORDER BY v.version_id DESC LIMIT $3`,
      [type, id, limit],
    );
    return openVersions(this.bodies, rows);
  }

  async search(query: SearchQuery): ReturnType<ResourceStore['search']> {
    const { ids, next, total } = await searchIds(this.sql, query);
    const rows = await this.sql.rows<VersionRow>(
      `SELECT ${VERSION_COLUMNS} FROM unnest($2::text[]) WITH ORDINALITY AS found (id, place)
       JOIN (${CURRENT}) ON r.type = $1 AND r.id = found.id ORDER BY found.place`,
      [query.type, ids],
    );
    return { resources: await openVersions(this.bodies, rows), next, total };
  }

  async ofPerson(person: PersonId, categories: readonly DataCategory[] | 'all', limit: number): Promise<readonly ResourceVersion[]> {
    return resourcesOfPerson(this.sql, this.bodies, person, categories, limit);
  }

  /** The head row, locked until the commit: writers of one resource come one after the other. Version 0 stands before the first. */
  private async lockHead({ type, id, person, categories, sha256, lastUpdated }: Put): Promise<Head> {
    await this.sql.later(
      `INSERT INTO resource (type, id, version_id, last_updated, person, categories, sha256, deleted)
       VALUES ($1, $2, 0, $3, $4, $5, $6, false) ON CONFLICT DO NOTHING`,
      [type, id, lastUpdated, person ?? null, categories, sha256],
    );
    const head = await this.sql.first<Head>(`SELECT ${HEAD} FROM resource WHERE type = $1 AND id = $2 FOR UPDATE`, [type, id]);
    if (head === undefined) throw new PortolanError('store.conflict', `${type} resource`);
    return head;
  }

  private async append(resource: Put, versionId: number): Promise<void> {
    const { type, id, person, keyId, categories, messageId, sha256, deleted, lastUpdated } = resource;
    const body = await this.bodies.sealText(keyId, resource.text, versionPlace(type, id, versionId));
    const name = nameOf(resource);
    const content = [lastUpdated, person ?? null, JSON.stringify(categories), sha256, deleted];
    await this.sql.laterRow(PUT_VERSION, [type, id, versionId, ...content, keyId, messageId ?? null, body], `${name}/${versionId}`);
    await this.sql.laterRow(PUT_HEAD, [type, id, versionId, ...content], name);
  }

  private async one(text: string, parameters: readonly unknown[]): Promise<ResourceVersion | undefined> {
    return (await openVersions(this.bodies, await this.sql.rows<VersionRow>(text, parameters)))[0];
  }
}

import type { DataCategory } from '@portolan/contracts';
import type { PersonId, ResourceVersion } from '@portolan/domain';
import type { Bodies, Place } from '../bodies/bodies.js';
import type { Sql } from '../connect/sql.js';

/** A row of `resource_version` as the driver gives it. */
export interface VersionRow {
  readonly type: string;
  readonly id: string;
  readonly version_id: number;
  readonly last_updated: Date;
  readonly person: PersonId | null;
  readonly key_id: string;
  readonly categories: readonly DataCategory[];
  readonly message_id: string | null;
  readonly sha256: string;
  readonly deleted: boolean;
  readonly body: Uint8Array;
}

/** Columns of a version `v`. */
export const VERSION_COLUMNS =
  'v.type, v.id, v.version_id, v.last_updated, v.person, v.key_id, v.categories, v.message_id, v.sha256, v.deleted, v.body';

/** The newest versions of current resources `r`. */
export const CURRENT = `edge.resource r JOIN edge.resource_version v ON v.type = r.type AND v.id = r.id AND v.version_id = r.version_id`;

export const versionPlace = (type: string, id: string, versionId: number): Place => ({
  table: 'resource_version',
  id: `${type}/${id}/${versionId}`,
});

/** Decrypts versions; those whose key is destroyed are left out. */
export async function openVersions(bodies: Bodies, rows: readonly VersionRow[]): Promise<readonly ResourceVersion[]> {
  await bodies.load(rows.map((row) => row.key_id));
  const versions: ResourceVersion[] = [];
  for (const row of rows) {
    const { type, id, version_id: versionId, person, categories, sha256, deleted } = row;
    const text = await bodies.openText(row.key_id, row.body, versionPlace(type, id, versionId));
    if (text === undefined) continue;
    versions.push({
      type,
      id,
      versionId,
      lastUpdated: row.last_updated.toISOString(),
      person: person ?? undefined,
      keyId: row.key_id,
      categories,
      messageId: row.message_id ?? undefined,
      sha256,
      deleted,
      text,
    });
  }
  return versions;
}

/**
 * Current, undeleted resources of a person, newest first; with those of the categories also what belongs to none: the Patient
 * resources themselves, and what others refer to. Used by edge and exchange alike.
 */
export async function resourcesOfPerson(
  sql: Sql,
  bodies: Bodies,
  person: PersonId,
  categories: readonly DataCategory[] | 'all',
  limit: number,
): Promise<readonly ResourceVersion[]> {
  const rows = await sql.rows<VersionRow>(
    `SELECT ${VERSION_COLUMNS} FROM ${CURRENT}
     WHERE r.person = ANY (edge.same_person($1)) AND NOT r.deleted AND NOT r.erased AND ($2::text[] IS NULL OR r.categories && $2 OR r.categories = '{}' AND r.type <> 'Provenance')
     ORDER BY r.last_updated DESC, r.type, r.id LIMIT $3`,
    [person, categories === 'all' ? null : categories, limit],
  );
  return openVersions(bodies, rows);
}

/** Current resources that belong to no person (organisations, professionals), by type and id. */
export async function sharedResources(
  sql: Sql,
  bodies: Bodies,
  wanted: readonly { type: string; id: string }[],
): Promise<readonly ResourceVersion[]> {
  const rows = await sql.rows<VersionRow>(
    `SELECT ${VERSION_COLUMNS} FROM unnest($1::text[], $2::text[]) AS wanted (type, id)
     JOIN edge.resource r ON r.type = wanted.type AND r.id = wanted.id
     JOIN edge.resource_version v ON v.type = r.type AND v.id = r.id AND v.version_id = r.version_id
     WHERE r.person IS NULL AND NOT r.deleted AND NOT r.erased`,
    [wanted.map(({ type }) => type), wanted.map(({ id }) => id)],
  );
  return openVersions(bodies, rows);
}

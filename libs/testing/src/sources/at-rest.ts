import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BodiesAtRest, type DataKeyRow } from '../checker/bodies-at-rest.js';
import { foldersOf, rows } from '../scenarios/backstage.js';
import type { SharedWorld } from '../scenarios/shared-world.js';

/** Something that can be read at a country: where, and its text. */
export interface AtRest {
  readonly place: string;
  readonly text: string;
}

/** Every body of one schema, opened with the role's own master keys, as its operator could. */
export async function openedBodies(world: SharedWorld, country: string, schema: 'edge' | 'exchange'): Promise<readonly AtRest[]> {
  const disk = await BodiesAtRest.open(
    foldersOf(world, country).master(schema),
    await rows<DataKeyRow>(world, country, `SELECT id, wrapped FROM ${schema}.data_key`),
  );
  const columns = await rows<{ table: string; column: string }>(
    world,
    country,
    `SELECT b.table_name AS "table", b.column_name AS "column" FROM information_schema.columns b
     JOIN information_schema.columns k ON k.table_schema = b.table_schema AND k.table_name = b.table_name AND k.column_name = 'key_id'
     WHERE b.table_schema = $1 AND b.data_type = 'bytea'`,
    [schema],
  );
  const found = await Promise.all(
    columns.map(async ({ table, column }) => {
      const sql = `SELECT to_jsonb(t) - '${column}' AS rest, key_id, ${column} AS body FROM ${schema}.${table} t WHERE ${column} IS NOT NULL`;
      const all = await rows<{ rest: Record<string, unknown>; key_id: string; body: Buffer }>(world, country, sql);
      return all.flatMap(({ rest, key_id, body }) => opened(disk, `${schema}.${table}`, rest, key_id, body));
    }),
  );
  return found.flat();
}

/** A body is bound to its row's id, which is one of the row's own values or made of several. */
function opened(disk: BodiesAtRest, table: string, rest: Record<string, unknown>, key: string, body: Buffer): readonly AtRest[] {
  const values = Object.values(rest).filter((value) => typeof value === 'string');
  const { type, id, version_id: version, view } = rest;
  const made = [`${String(type)}/${String(id)}/${String(version)}`, `${String(view)}/${String(type)}/${String(id)}`];
  for (const candidate of [...values, ...made]) {
    const read = disk.read(key, body, `${table}:${candidate}`);
    if (typeof read !== 'string') return [{ place: `${table}:${candidate}`, text: read.text }];
  }
  return [];
}

/** Files below a folder in which one of the texts stands, as bytes. */
export async function filesWith(folder: string, texts: readonly string[]): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries.filter((one) => one.isFile())) {
    const file = join(entry.parentPath, entry.name);
    // A database's files come and go while it runs.
    const bytes = await readFile(file).catch(() => Buffer.alloc(0));
    if (texts.some((text) => bytes.includes(text))) found.push(file);
  }
  return found;
}

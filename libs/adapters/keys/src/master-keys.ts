import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PortolanError } from '@portolan/contracts';
import { orMissing, privateFolder, refuseOpenSecret, writePrivately } from './files.js';

/*
 * A folder of master keys: `<id>.master` holds 32 bytes as base64url, `current` the id of the one that wraps new data keys. The id is
 * eight bytes of a digest of the key, hexadecimal, so that a file cannot pass for another.
 */
const KEY_BYTES = 32;
const ID = /^[0-9a-f]{16}$/;

export interface MasterKey {
  readonly id: string;
  readonly bytes: Uint8Array;
}

/** The master keys of one folder: all that can still unwrap, and the one that wraps. */
export interface MasterKeyRing {
  readonly current: MasterKey;
  readonly all: ReadonlyMap<string, MasterKey>;
}

const idOf = (bytes: Uint8Array): string => createHash('sha256').update('portolan master key\0').update(bytes).digest('hex').slice(0, 16);

/**
 * Puts a fresh master key into each folder (one a role that decrypts), then makes it the current one in each. A role that still
 * wraps with the older key meanwhile does no harm: both have both. Answers with its id.
 */
export async function addMasterKey(folders: readonly string[]): Promise<string> {
  const bytes = randomBytes(KEY_BYTES);
  const id = idOf(bytes);
  for (const folder of folders) await writePrivately(join(await privateFolder(folder), `${id}.master`), `${bytes.toString('base64url')}\n`);
  for (const folder of folders) await writePrivately(join(folder, 'current'), `${id}\n`);
  return id;
}

/** Whether a folder has a current master key. */
export async function hasMasterKey(folder: string): Promise<boolean> {
  return (await orMissing(readFile(join(folder, 'current')))) !== undefined;
}

/** Throws `keys.none-live` (no current key), `keys.file-invalid`, `keys.too-open`. */
export async function readMasterKeys(folder: string): Promise<MasterKeyRing> {
  const currentId = (await orMissing(readFile(join(folder, 'current'), 'utf8')))?.trim();
  if (currentId === undefined) throw new PortolanError('keys.none-live', 'master key');
  const ids = (await readdir(folder)).filter((name) => name.endsWith('.master')).map((name) => name.slice(0, -'.master'.length));
  const keys = await Promise.all(ids.filter((id) => ID.test(id)).map((id) => readMasterKey(folder, id)));
  const all = new Map(keys.map((key) => [key.id, key]));
  const current = all.get(currentId);
  if (current === undefined) throw new PortolanError('keys.file-invalid', 'master key', 'the current key is not in the folder');
  return { current, all };
}

async function readMasterKey(folder: string, id: string): Promise<MasterKey> {
  const path = join(folder, `${id}.master`);
  await refuseOpenSecret(path, `master key ${id}`);
  const bytes = new Uint8Array(Buffer.from((await readFile(path, 'utf8')).trim(), 'base64url'));
  if (bytes.length !== KEY_BYTES || idOf(bytes) !== id) throw new PortolanError('keys.file-invalid', `master key ${id}`);
  return { id, bytes };
}

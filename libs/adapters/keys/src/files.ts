import { randomUUID } from 'node:crypto';
import { access, mkdir, open, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PortolanError } from '@portolan/contracts';

/** Makes a folder, and those above it that are missing, for its owner alone. */
export async function privateFolder(path: string): Promise<string> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  return path;
}

/** Writes a whole file for its owner alone, or none: under another name, to the disk, then renamed into place. */
export async function writePrivately(path: string, content: string | Uint8Array): Promise<void> {
  const half = join(dirname(path), `.${randomUUID()}.half`);
  const file = await open(half, 'wx', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } catch (error) {
    await unlink(half);
    throw error;
  } finally {
    await file.close();
  }
  await rename(half, path);
}

/**
 * Refuses a secret that any user of the machine may read. A group may (mounted secrets are often read through one).
 * Windows keeps no such bits. Throws `keys.too-open`.
 */
export async function refuseOpenSecret(path: string, where: string): Promise<void> {
  if (process.platform === 'win32') return;
  const { mode } = await stat(path);
  if ((mode & 0o007) !== 0) throw new PortolanError('keys.too-open', where);
}

/** Whether `error` says that a file or folder is not there. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** What `read` answers, or undefined where the file it reads is not there. */
export async function orMissing<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Whether there is something under this name. */
export async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

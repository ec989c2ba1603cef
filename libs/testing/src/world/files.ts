import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Writes a file whole or not at all, for its owner alone. */
export async function keep(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  // A name of its own: two who write the same file at once must not take each other's half away.
  const half = `${file}.${randomUUID()}.new`;
  await writeFile(half, text, { mode: 0o600 });
  await rename(half, file);
}

export const keepJson = (file: string, value: unknown): Promise<void> => keep(file, `${JSON.stringify(value, null, 2)}\n`);

export async function findJson<T>(file: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as T;
  } catch {
    return undefined;
  }
}

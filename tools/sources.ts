import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The clone's root. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** Files that git tracks or would track, from the root with forward slashes. */
export function projectFiles(pattern: RegExp): string[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8' });
  const files = listed.split('\0').filter((file) => pattern.test(file) && existsSync(join(root, file)));
  return [...new Set(files)].sort();
}

/** The text of a file, named from the root. */
export function textOf(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

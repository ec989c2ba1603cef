import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';

/** A copy of the working tree, as git would carry it, that tests may damage. */
export interface FreshClone {
  readonly folder: string;
  remove(): void;
}

/**
 * Copies what git tracks and would track into a temporary folder. The installed packages are linked, not copied, except
 * that the links of the workspaces lead to the copy; `packages: false` leaves them out.
 */
export function freshClone(root: string, { packages = true } = {}): FreshClone {
  const folder = mkdtempSync(join(tmpdir(), 'portolan-clone-'));
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8' });
  for (const file of listed.split('\0').filter((name) => name !== '' && existsSync(join(root, name)))) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(join(root, file), join(folder, file));
  }
  if (packages) linkPackages(root, folder);
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

function linkPackages(root: string, folder: string): void {
  linkEntries(join(root, 'node_modules'), join(folder, 'node_modules'), ['@portolan', '.cache']);
  const scope = join(root, 'node_modules/@portolan');
  mkdirSync(join(folder, 'node_modules/@portolan'), { recursive: true });
  for (const name of readdirSync(scope)) {
    // npm links a workspace by a relative path, which means the copy when it stands in the copy.
    if (!lstatSync(join(scope, name)).isSymbolicLink()) continue;
    const target = readlinkSync(join(scope, name));
    const copied = isAbsolute(target) ? target.replace(root, folder) : resolve(folder, 'node_modules/@portolan', target);
    symlinkSync(copied, join(folder, 'node_modules/@portolan', name));
  }
  for (const workspace of ['libs', 'libs/adapters', 'apps'].flatMap((parent) =>
    readdirSync(join(root, parent)).map((name) => join(parent, name)),
  )) {
    const own = join(root, workspace, 'node_modules');
    if (existsSync(own) && existsSync(join(folder, workspace))) symlinkSync(own, join(folder, workspace, 'node_modules'));
  }
}

function linkEntries(from: string, to: string, except: readonly string[]): void {
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from)) if (!except.includes(name)) symlinkSync(join(from, name), join(to, name));
}

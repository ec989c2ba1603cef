import { readFile, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PortolanError } from '@portolan/contracts';

/** Under whom the server runs when we are root, which PostgreSQL refuses to be. */
export interface RunUser {
  readonly uid: number;
  readonly gid: number;
}

/** The system's `postgres` user, else `nobody`; undefined where we are not root and the server runs as ourselves. */
export async function serverUser(): Promise<RunUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  for (const name of ['postgres', 'nobody']) {
    const entry = lines.find(([user]) => user === name);
    if (entry !== undefined) return { uid: Number(entry[2]), gid: Number(entry[3]) };
  }
  throw new PortolanError(
    'store.cluster-failed',
    '/etc/passwd',
    'neither postgres nor nobody is a user, and the server cannot run as root',
  );
}

/** Whether `user` may pass every folder from the root down to `path` (permission bits; access lists are not looked at). */
export async function reachableBy(user: RunUser, path: string): Promise<boolean> {
  for (let folder = await realpath(path); ; folder = dirname(folder)) {
    const { mode, uid, gid } = await stat(folder);
    const passes = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
    if ((mode & passes) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

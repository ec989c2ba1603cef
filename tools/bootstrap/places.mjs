// Where things lie: the clone, and the cache that all clones of one user share.
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** The cache of this user: `PORTOLAN_CACHE`, else `portolan` in the XDG cache folder. It may be deleted at any time. */
export function cacheFolder() {
  const base = process.env.PORTOLAN_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'portolan');
  try {
    mkdirSync(base, { recursive: true });
  } catch (error) {
    throw new BootstrapError(
      `cannot make the cache folder ${base} (${error.code})`,
      'set PORTOLAN_CACHE to a folder that you may write to',
    );
  }
  return base;
}

/** Something that a person has to mend before the command can go on. */
export class BootstrapError extends Error {
  /** @param {string} what what failed  @param {string} next what to do about it */
  constructor(what, next) {
    super(`${what}\n  next: ${next}`);
    this.name = 'BootstrapError';
  }
}

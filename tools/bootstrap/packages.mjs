// The locked packages: `npm ci`, once for each lock file.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { childEnvironment, npm } from './node-release.mjs';
import { BootstrapError, root } from './places.mjs';

const stampFile = join(root, 'node_modules/.portolan-stamp');

/** Whether node_modules holds what the lock file says, by the stamp that the last whole install left. */
export function packagesAreCurrent() {
  return existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp();
}

function stamp() {
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .update(`${process.platform}-${process.arch}`)
    .digest('hex');
}

/** Installs the locked packages; nothing that an interrupted install left is used. Call it under the clone's lock. */
export async function installPackages(node, say, started) {
  if (packagesAreCurrent()) return;
  if (!installedByNpm()) {
    say('installing the locked packages (npm ci), once …');
    rmSync(stampFile, { force: true });
    const done = await npm(node.bin, ['ci', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: root,
      env: childEnvironment(node),
      stdio: ['ignore', 'ignore', 'inherit'],
      started,
    });
    if (done.code !== 0)
      throw new BootstrapError(
        'npm ci did not succeed (its message stands above)',
        'mend what it names and run the command again; nothing half-installed is used',
      );
  }
  writeFileSync(stampFile, stamp());
}

/**
 * Whether a plain `npm install` already made node_modules what the lock file says. npm writes its own record of the tree
 * as the last act of an install and removes it as the first act of `npm ci`, so a record that agrees is a whole install.
 */
function installedByNpm() {
  const locked = packagesOf(join(root, 'package-lock.json'));
  const present = packagesOf(join(root, 'node_modules/.package-lock.json'));
  if (!locked || !present) return false;
  return Object.entries(locked)
    .filter(([path, entry]) => path.includes('node_modules/') && !entry.link)
    .every(([path, entry]) => same(entry, present[path]) && (entry.optional || existsSync(join(root, path))));
}

function same(locked, present) {
  if (!present) return locked.optional === true;
  return present.version === locked.version && present.integrity === locked.integrity;
}

function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

// Compiles the projects when a source changed since the last build.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runChild } from './child.mjs';
import { childEnvironment } from './node-release.mjs';
import { BootstrapError, root } from './places.mjs';

const stampFile = join(root, 'node_modules/.portolan-build');

/** Whether every project's output was made from the sources as they lie there now. */
export function buildIsCurrent() {
  return existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp() && outputs().every((file) => existsSync(file));
}

/** Builds where needed. Call it under the clone's lock. */
export async function build(node, say, started) {
  if (buildIsCurrent()) return;
  say('building …');
  // Taken before: a source that changes during the build is built again next time.
  const made = stamp();
  const done = await runChild(node.bin, [join(root, 'tools/build.mjs')], {
    cwd: root,
    env: childEnvironment(node),
    // Standard output belongs to the command that is about to run.
    stdio: ['ignore', 2, 2],
    started,
  });
  if (done.code !== 0)
    throw new BootstrapError('the build failed (its message stands above)', 'mend what it names and run the command again');
  writeFileSync(stampFile, made);
}

/** Path, size and time of every source and project file, so that an edit, a removal and another checkout all show. */
function stamp() {
  const hash = createHash('sha256');
  for (const file of [
    join(root, 'tsconfig.base.json'),
    join(root, 'tsconfig.json'),
    ...sources(join(root, 'libs')),
    ...sources(join(root, 'apps')),
  ]) {
    const { size, mtimeMs } = statSync(file);
    hash.update(`${file}\0${size}\0${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

function sources(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.name !== 'node_modules' && entry.name !== 'dist')
    .flatMap((entry) => (entry.isDirectory() ? sources(join(folder, entry.name)) : [join(folder, entry.name)]))
    .filter((file) => /\.tsx?$|(?:package|tsconfig)\.json$|\/src\/.*\.json$/.test(file))
    .sort();
}

function outputs() {
  const { references } = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8'));
  return references.map(({ path }) => join(root, path, 'dist/.tsbuildinfo'));
}

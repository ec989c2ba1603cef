// Keeps the TypeScript project references equal to the workspace dependencies in package.json, and the root tsconfig.json
// listing every project. `--check` writes nothing and exits 1 where something differs.
import { writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { projects, readJson, root } from './projects.mjs';

const check = process.argv.includes('--check');
const all = projects();
const folderOf = new Map(all.map(({ name, folder }) => [name, folder]));

const wanted = [
  // tools is no workspace: its tests are type-checked all the same.
  { folder: '.', paths: [...all.map(({ folder }) => folder), 'tools'] },
  ...all.map(({ folder, workspaceDependencies }) => ({
    folder,
    paths: workspaceDependencies.map((name) => posix.relative(folder, folderOf.get(name))),
  })),
];

let stale = 0;
for (const { folder, paths } of wanted) {
  const file = join(root, folder, 'tsconfig.json');
  const config = readJson(file);
  const references = paths.map((path) => ({ path }));
  if (JSON.stringify(config.references) === JSON.stringify(references)) continue;
  stale += 1;
  if (check)
    process.stderr.write(`${posix.join(folder, 'tsconfig.json')}: references are not what package.json gives: node tools/references.mjs\n`);
  else writeFileSync(file, await format(JSON.stringify({ ...config, references }), { ...(await resolveConfig(file)), parser: 'json' }));
}
if (check && stale > 0) process.exit(1);

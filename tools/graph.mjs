// Readies the project graph that the boundary lint reads (without it that rule says nothing and passes), and checks what
// no import shows: every project is in the graph, has exactly one known `type:` tag, and keeps its SDKs at home.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { mayImport, sdkHome } from './boundaries.mjs';
import { projects, root } from './projects.mjs';

const all = projects();
const mistakes = [...missingInGraph(), ...all.flatMap(tagMistakes), ...all.flatMap(sdkMistakes)];
for (const mistake of mistakes) process.stderr.write(`${mistake}\n`);
process.stdout.write(`${all.length} projects\n`);
process.exit(mistakes.length > 0 ? 1 : 0);

function missingInGraph() {
  const done = spawnSync(process.execPath, [join(root, 'node_modules/nx/dist/bin/nx.js'), 'show', 'projects', '--json'], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, NX_DAEMON: 'false', NX_NO_CLOUD: 'true' },
  });
  if (done.status !== 0) return [`nx show projects failed: ${done.stderr || done.stdout || done.error?.message}`];
  const known = new Set(JSON.parse(done.stdout));
  return all.filter(({ name }) => !known.has(name)).map(({ name }) => `${name}: not in the project graph (graph/missing)`);
}

function tagMistakes({ folder, manifest }) {
  const tags = manifest.nx?.tags ?? [];
  const types = tags.filter((tag) => tag.startsWith('type:'));
  const mistakes = [];
  if (types.length !== 1)
    mistakes.push(`${folder}/package.json: exactly one type: tag is wanted, not ${types.length} (graph/one-type-tag)`);
  for (const tag of tags) {
    if (tag.includes('*')) mistakes.push(`${folder}/package.json: the tag ${tag} has a wildcard (graph/no-wildcard)`);
    else if (!Object.hasOwn(mayImport, tag))
      mistakes.push(`${folder}/package.json: the tag ${tag} is not in tools/boundaries.mjs (graph/known-tag)`);
  }
  return mistakes;
}

function sdkMistakes({ folder, manifest }) {
  return Object.entries(sdkHome)
    .filter(
      ([sdk, home]) =>
        ![home].flat().includes(folder) &&
        Object.keys(manifest.dependencies ?? {}).some((name) => name === sdk || name.startsWith(`${sdk}/`)),
    )
    .map(([sdk, home]) => `${folder}/package.json: ${sdk} stands in ${[home].flat().join(' and ')} alone (graph/sdk-home)`);
}

// The world that all scenarios of a run share: booted once, by the runner's main process, from the built packages. The tests are
// what they claim to be: outside of it, over sockets. `together` or `apart` is the project's choice (vitest.config.ts).
import { createWriteStream } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export default async function setup(project) {
  const { SCENARIO_ROLES: roles, SCENARIO_COLUMN: column } = project.config.env;
  const folder = await mkdtemp(join(tmpdir(), `portolan-scenario-${column}-${roles}-`));
  await chmod(folder, 0o755);
  const log = createWriteStream(join(folder, 'nodes.log'));
  const { World } = await import('@portolan/testing');
  const world = await World.start({
    folder,
    roles,
    column: column === 'raft' ? 'real' : column,
    raft: column === 'raft',
    fsync: false,
    logLevel: 'info',
    sink: (line) => log.write(line.endsWith('\n') ? line : `${line}\n`),
  });
  project.provide('world', { folder, roles, log: join(folder, 'nodes.log') });
  return async () => {
    await world.stop();
    log.end();
    if (column === 'embedded' && roles === 'together') await judge(folder);
    await rm(folder, { recursive: true, force: true });
  };
}

/** HL7's validator has the last word on every Bundle that a node gave anybody in these scenarios. */
async function judge(folder) {
  const { judgeBundles } = await import('@portolan/testing');
  const answer = await judgeBundles(folder);
  if ('absent' in answer) {
    process.stderr.write(`bundles of the scenarios were not judged: ${answer.absent}\n`);
    return;
  }
  const wrong = Object.entries(answer.wrong);
  process.stdout.write(`HL7's validator: ${answer.judged} bundles of the scenarios, ${wrong.length} with errors\n`);
  if (wrong.length === 0 && answer.judged > 0) return;
  process.stderr.write(`${JSON.stringify(answer.wrong, undefined, 2).slice(0, 20_000)}\n`);
  process.exitCode = 1;
  throw new Error("HL7's validator found errors in bundles that the nodes gave, or there were none");
}

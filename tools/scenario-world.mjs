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
    await rm(folder, { recursive: true, force: true });
  };
}

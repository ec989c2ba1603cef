import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repository } from '../world/world.js';
import { KillWorld } from './kill-world.js';

/** Kills every process of a world and the one that runs it, all at the same moment; PostgreSQL is left, as it would be. */
async function runUntilKilled(folder: string, liveMs: number): Promise<void> {
  const child = spawn(process.execPath, [join(repository, 'libs/testing/dist/kill/world-child.js'), folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const told = await Promise.race([once(child.stdout, 'data') as Promise<[Buffer]>, ended.then(() => undefined)]);
  if (told === undefined) throw new Error('the world did not start');
  const { pids } = JSON.parse(told[0].toString()) as { pids: readonly number[] };
  await pause(liveMs);
  for (const pid of [...pids, child.pid!]) process.kill(pid, 'SIGKILL');
  await ended;
}

let killed: KillWorld | undefined;
let folder: string;
const print = (line: string): void => void process.stderr.write(`${line}\n`);

describe('a world killed all at once', () => {
  beforeAll(async () => {
    folder = await KillWorld.prepareFolder();
    const first = await KillWorld.start(print, folder);
    await first.prepare();
    // What is asked here is on its way when everything ends.
    for (const asker of ['EE', 'PT'] as const)
      void first
        .clinician(asker)
        .record(first.handle(asker), ['summary'])
        .catch(() => undefined);
    await pause(300);
    for (const process of first.world.processes.values()) void process.stop('SIGKILL');
    await first.world.stop();
  });
  afterAll(() => killed?.stop());

  it('starts again in the same folder, also when it was killed while starting up its work again', async () => {
    await runUntilKilled(folder, 0);
    await runUntilKilled(folder, 400);
    killed = await KillWorld.start(print, folder);
    expect(await killed.check()).toEqual([]);
  });

  it('goes on: what is asked now is answered', async () => {
    await killed!.meet();
    for (const asker of ['EE', 'PT'] as const)
      expect(await killed!.clinician(asker).record(killed!.handle(asker), ['summary'])).toBe('released');
    expect(await killed!.check()).toEqual([]);
  });
});

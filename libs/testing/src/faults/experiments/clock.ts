import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';
import { roles } from '@portolan/domain';
import { repository } from '../../world/world.js';
import type { Fault, Scene } from '../fault.js';

const OFF_MS = 600_000;
const LASTS_MS = 45_000;
const shifted = (): string => `--import=${pathToFileURL(join(repository, 'libs/testing/src/faults/shifted-clock.mjs')).href}?ms=${OFF_MS}`;

export const clock: Fault = {
  name: 'clock',
  what: 'the clocks of EE’s edge, exchange and notary are ten minutes ahead',
  how: 'the three processes are started again with a Date that is 600 s ahead; peer, orderer, broker and database keep the right time',
  strike: async (scene) => {
    const { world, struck, healed, note } = scene;
    await restart(scene, [shifted()]);
    struck();
    const before = await anchored(scene);
    await pause(LASTS_MS);
    const after = await anchored(scene);
    note(
      `steps and acts of EE that the channel took meanwhile: ${after.acts - before.acts}; records that left EE: ${after.sent - before.sent}`,
    );
    for (const line of await doctor(world.folder)) note(`doctor: ${line}`);
    await restart(scene, []);
    healed();
  },
};

async function restart({ world: { world } }: Scene, options: readonly string[]): Promise<void> {
  const processes = roles.map((role) => world.process('EE', role));
  await Promise.all(processes.map((process) => process.stop()));
  for (const process of processes) process.nodeOptions = options;
  await Promise.all(processes.map((process) => process.start()));
}

async function anchored({ world }: Scene): Promise<{ acts: number; sent: number }> {
  const [acts] = await world.rows<{ n: number }>('BE', `SELECT count(*)::int AS n FROM notary.fabric_tx WHERE valid AND org = 'EE'`);
  const [sent] = await world.rows<{ n: number }>(
    'EE',
    `SELECT count(*)::int AS n FROM exchange.outgoing WHERE state = 'sent' AND position('"kind":"record"' in encode(body, 'escape')) > 0`,
  );
  return { acts: acts?.n ?? 0, sent: sent?.n ?? 0 };
}

/** What `portolan doctor` finds wrong with the time, run on the machine whose clock is wrong. */
function doctor(folder: string): Promise<readonly string[]> {
  const command = [shifted(), join(repository, 'apps/cli/dist/main.js'), 'doctor', '--country', 'EE', '--folder', folder];
  return new Promise((resolve) => {
    execFile(process.execPath, command, { timeout: 120_000 }, (_error, stdout) => {
      resolve(
        stdout
          .split('\n')
          .filter((line) => /clock/i.test(line))
          .map((line) => line.trim()),
      );
    });
  });
}

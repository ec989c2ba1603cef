import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { testCluster } from './test-cluster.js';

const here = dirname(fileURLToPath(import.meta.url));

it('is one a process, with a country’s database made once', async () => {
  const [one, two] = await Promise.all([testCluster(), testCluster()]);
  expect(two).toBe(one);
  const [ee, again] = await Promise.all([one.country('EE'), two.country('EE')]);
  expect(again).toBe(ee);
});

it('goes with its process, also when that is killed', async () => {
  const child = spawn(process.execPath, [join(here, 'run-source.mjs'), join(here, 'test-cluster-child.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const { data, pid } = JSON.parse(line.toString()) as { data: string; pid: number };
  await access(join(data, 'PG_VERSION'));
  child.kill('SIGKILL');
  const runs = async (): Promise<boolean> => (await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z')).split(') ')[1]?.[0] !== 'Z';
  const isThere = async (): Promise<boolean> =>
    access(data).then(
      () => true,
      () => false,
    );
  for (let i = 0; i < 200 && ((await isThere()) || (await runs())); i += 1) await pause(50);
  expect(await isThere()).toBe(false);
  expect(await runs()).toBe(false);
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { freePortsOf } from './ports.js';

/** Small, and nobody's: who asks for more than half of it meets whoever did before. */
const range = { from: 8_700, to: 8_740 };
const here = new URL('ports.ts', import.meta.url).href;
const script = `const { freePortsOf } = await import('${here}');
  process.stdout.write(JSON.stringify(await freePortsOf(${JSON.stringify(range)}, 20)));
  setInterval(() => {}, 60_000);`;

it.runIf(process.platform === 'linux')('are nobody else’s for as long as the process lives that they were given to (Linux)', async () => {
  const other = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(other, 'exit');
  const [told] = (await once(other.stdout, 'data')) as [Buffer];
  const theirs = JSON.parse(told.toString()) as number[];
  const ours = await freePortsOf(range, 15);
  expect(new Set([...theirs, ...ours]).size).toBe(35);
  await expect(freePortsOf(range, 6)).rejects.toThrow('no 6 free ports');
  other.kill('SIGKILL');
  await ended;
  expect(theirs).toEqual(expect.arrayContaining(await freePortsOf(range, 15)));
});

it('are none at which somebody listens', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await expect(freePortsOf({ from: port, to: port + 1 }, 1)).rejects.toThrow('no 1 free ports');
  server.close();
});

it('are none at which fetch refuses to knock', async () => {
  await expect(freePortsOf({ from: 10_080, to: 10_081 }, 1)).rejects.toThrow('no 1 free ports');
  // Others of its list (WHATWG Fetch) lie outside of what we choose from; this one is refused without a look at the net.
  await expect(fetch('http://127.0.0.1:10080/')).rejects.toMatchObject({ cause: { message: 'bad port' } });
});

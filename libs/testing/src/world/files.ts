import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createServer, type AddressInfo, type Server } from 'node:net';

/** Writes a file whole or not at all, for its owner alone. */
export async function keep(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(`${file}.new`, text, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

export const keepJson = (file: string, value: unknown): Promise<void> => keep(file, `${JSON.stringify(value, null, 2)}\n`);

export async function findJson<T>(file: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as T;
  } catch {
    return undefined;
  }
}

/** Below the range from which systems take the ports of outgoing connections: what is kept for a later start is not taken meanwhile. */
const LASTING = { from: 12_000, to: 20_000 } as const;
const TRIES = 500;

/** Free loopback ports that last, all different: held together for a moment, then let go. */
export async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = [];
  for (let tried = 0; servers.length < count && tried < TRIES + count; tried += 1) {
    const server = await listening(LASTING.from + Math.floor(Math.random() * (LASTING.to - LASTING.from)));
    if (server !== undefined) servers.push(server);
  }
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  if (servers.length < count) throw new Error(`no ${count} free ports between ${LASTING.from} and ${LASTING.to}`);
  return ports;
}

/** Undefined where somebody listens at that port. */
function listening(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createServer, type AddressInfo, type Server } from 'node:net';

/** Writes a file whole or not at all, for its owner alone. */
export async function keep(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  // A name of its own: two who write the same file at once must not take each other's half away.
  const half = `${file}.${randomUUID()}.new`;
  await writeFile(half, text, { mode: 0o600 });
  await rename(half, file);
}

export const keepJson = (file: string, value: unknown): Promise<void> => keep(file, `${JSON.stringify(value, null, 2)}\n`);

export async function findJson<T>(file: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as T;
  } catch {
    return undefined;
  }
}

/**
 * Ports that last: below the range from which systems take those of outgoing connections, and below that of the Fabric networks, so that what
 * is kept for a later start is not taken meanwhile. Those of a world's nodes are chosen long before anybody listens there; what is chosen
 * after them for other things lies elsewhere.
 */
const LASTING = { nodes: { from: 9_000, to: 12_000 }, others: { from: 12_000, to: 15_000 } } as const;

/** Free loopback ports, all different: held together for a moment, then let go. One after the other from any place on, so that two worlds seldom meet. */
export async function freePorts(count: number, whose: keyof typeof LASTING = 'others'): Promise<number[]> {
  const { from, to } = LASTING[whose];
  const start = Math.floor(Math.random() * (to - from));
  const servers: Server[] = [];
  for (let tried = 0; servers.length < count && tried < to - from; tried += 1) {
    const server = await listening(from + ((start + tried) % (to - from)));
    if (server !== undefined) servers.push(server);
  }
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  if (servers.length < count) throw new Error(`no ${count} free ports between ${from} and ${to}`);
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

import { createServer, type ListenOptions, type Server } from 'node:net';

export interface PortRange {
  readonly from: number;
  /** Not of it itself. */
  readonly to: number;
}

/**
 * Ports that last: below the range from which systems take those of outgoing connections, so that what is kept for a later start is not taken
 * meanwhile. Those of a world's nodes are chosen long before anybody listens there; what is chosen after them lies elsewhere.
 */
const LASTING = { nodes: { from: 9_000, to: 12_000 }, others: { from: 12_000, to: 15_000 }, fabric: { from: 15_000, to: 30_000 } } as const;

/** Of all that last, the one that no browser and no `fetch` knocks at (WHATWG Fetch, "port blocking"): a node's HTTP door there stays unheard. */
const UNHEARD = 10_080;

/** Loopback ports that last, all different. */
export const freePorts = (count: number, whose: keyof typeof LASTING = 'others'): Promise<number[]> => freePortsOf(LASTING[whose], count);

/**
 * Ports of a range at which nobody listens and which were given to nobody else: on Linux they stay this process's until it ends. Looked for one
 * after the other from any place on.
 */
export async function freePortsOf({ from, to }: PortRange, count: number): Promise<number[]> {
  const start = Math.floor(Math.random() * (to - from));
  const found: number[] = [];
  for (let tried = 0; found.length < count && tried < to - from; tried += 1) {
    const port = from + ((start + tried) % (to - from));
    if (port !== UNHEARD && (await take(port))) found.push(port);
  }
  if (found.length < count) throw new Error(`no ${count} free ports between ${from} and ${to}`);
  return found;
}

/** Whether nobody listens there. */
export async function isFree(port: number): Promise<boolean> {
  const server = await listening({ port, host: '127.0.0.1' });
  return server !== undefined && closed(server);
}

/**
 * Worlds founded side by side choose their ports before they listen. So a port is taken by its name among Linux's abstract sockets, which one
 * process at a time can hold and which falls when that ends, however it ends; and first, since even a look at a port is in its owner's way.
 * Elsewhere there are no such names, and two worlds seldom meet.
 */
async function take(port: number): Promise<boolean> {
  if (process.platform !== 'linux') return isFree(port);
  const name = await listening({ path: `\0portolan-port-${port}` });
  if (name === undefined) return false;
  return (await isFree(port)) || !(await closed(name));
}

/** Undefined where somebody listens there. */
function listening(at: ListenOptions): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy()).unref();
    server.once('error', () => resolve(undefined));
    server.listen(at, () => resolve(server));
  });
}

const closed = (server: Server): Promise<true> => new Promise((resolve) => server.close(() => resolve(true)));

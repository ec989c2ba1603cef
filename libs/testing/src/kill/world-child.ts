import { worldOptions } from './kill-world.js';
import { World } from '../world/world.js';

/**
 * Runs a world in a process of its own, for tests that kill it: `<folder>` as its argument. Says one line, `{"pids": […]}`, when all of
 * its processes are up, and stays until it is killed.
 */
const [folder = ''] = process.argv.slice(2);
const world = await World.start({ ...worldOptions(folder), sink: () => undefined });
process.stdout.write(`${JSON.stringify({ pids: [...world.processes.values()].map(({ pid }) => pid) })}\n`);
setInterval(() => undefined, 60_000);

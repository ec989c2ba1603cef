import { interrupted, type Exit } from './terminal.js';

const names = ['SIGINT', 'SIGTERM'] as const;

/** Of a terminal's Ctrl-C npx tells its command again: what comes so soon is the same signal. */
const SAME_MS = 1_000;

/**
 * Work that may be asked to stop: at the first signal `stop` is aborted, and the work ends by itself with what is whole; a second one ends the process
 * at once. How it ended is then 128 and the signal's number, as shells have it.
 */
export async function untilSignal(work: (stop: AbortSignal) => Promise<Exit>): Promise<Exit> {
  const stopping = new AbortController();
  let caught: { readonly name: (typeof names)[number]; readonly at: number } | undefined;
  const stop = (name: (typeof names)[number]): void => {
    const at = performance.now();
    if (caught === undefined) stopping.abort();
    else if (at - caught.at > SAME_MS) process.exit(interrupted[name]);
    caught ??= { name, at };
  };
  for (const name of names) process.on(name, stop);
  try {
    const exit = await work(stopping.signal);
    return caught === undefined ? exit : interrupted[caught.name];
  } finally {
    for (const name of names) process.off(name, stop);
  }
}

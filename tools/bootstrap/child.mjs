// Children that end when we are told to end, and whose end we pass on.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

const passedOn = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Runs a child to its end, with the signals that reach this process passed on to it.
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions & { keep?: boolean, started?: (pid: number) => void }} [options]
 * `keep`: collect stdout and stderr as text; `started`: told the child's process id
 * @returns {Promise<{ code: number | null, signal: NodeJS.Signals | null, output: string }>} rejects where it cannot start
 */
export function runChild(command, args, { keep = false, started = () => undefined, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...(keep && { stdio: ['ignore', 'pipe', 'pipe'] }), ...options });
    if (child.pid !== undefined) started(child.pid);
    const handlers = passedOn.map((signal) => [signal, () => forward(child, signal)]);
    for (const [signal, handler] of handlers) process.on(signal, handler);
    const done = () => handlers.forEach(([signal, handler]) => process.removeListener(signal, handler));
    let output = '';
    if (keep) for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text) => (output += text));
    child.on('error', (error) => {
      done();
      reject(error);
    });
    child.on('close', (code, signal) => {
      done();
      resolve({ code, signal, output });
    });
  });
}

function forward(child, signal) {
  // Ctrl-C on a terminal already reaches the whole process group: a second one would mean "at once" to the child.
  if (signal === 'SIGINT' && process.stdin.isTTY) return;
  child.kill(signal);
}

/** Ends this process as the child ended: the same exit code, or the same signal (a shell then reports 128 + its number). */
export function endLike({ code, signal }) {
  if (!signal) process.exit(code ?? 1);
  process.kill(process.pid, signal);
  setTimeout(() => process.exit(128 + constants.signals[signal]), 500);
}

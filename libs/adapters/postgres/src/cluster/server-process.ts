import { spawn } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { RunUser } from './run-user.js';

export interface Outcome {
  readonly code: number | null;
  readonly output: string;
}

/** Runs one of the server's programs to its end, as `user`, without our environment. Killed after `timeoutMs`. */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: { user: RunUser | undefined; cwd: string; timeoutMs: number },
): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      ...options.user,
      cwd: options.cwd,
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
      // pg_ctl leaves the server behind, which would keep a pipe open: its output goes to the log file it is given.
      stdio: program.includes('initdb') ? ['ignore', 'pipe', 'pipe'] : 'ignore',
      timeout: options.timeoutMs,
    });
    let output = '';
    const note = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-4000);
    };
    child.stdout?.on('data', note);
    child.stderr?.on('data', note);
    child.on('error', (failure) => {
      resolve({ code: null, output: failure.message });
    });
    child.on('close', (code) => {
      resolve({ code, output });
    });
  });
}

/** A server as its `postmaster.pid` tells. */
export interface RunningServer {
  readonly pid: number;
  readonly port: number;
}

/** The living server of a data folder; a file left behind by a dead one is removed, so that its number cannot mislead. */
export async function runningServer(dataFolder: string): Promise<RunningServer | undefined> {
  const file = join(dataFolder, 'postmaster.pid');
  const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n');
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 1) return undefined;
  if (await isServerOf(dataFolder, pid)) return { pid, port: Number(lines[3]) };
  await rm(file, { force: true });
  return undefined;
}

/** Process numbers come again: on Linux the command line tells whether this one is a server on our folder. */
async function isServerOf(dataFolder: string, pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  if (process.platform !== 'linux') return true;
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return command.split('\0').includes(dataFolder);
}

/** A port of the loopback interface that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => {
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
  });
}

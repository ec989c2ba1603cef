import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/** A process that we started, told apart from a later one that was given the same number. */
export interface OwnProcess {
  readonly pid: number;
  /** As `startOf` has it. */
  readonly started: string;
}

/** When a running process began, in whatever form the system tells it; undefined where there is none, or it is dead and not buried. */
export function startOf(pid: number): string | undefined {
  if (process.platform !== 'linux') return startByPs(pid);
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // proc(5): the name in brackets may hold anything, so fields are counted from the last one on: state is field 3, threads 20, start 22.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // While another thread of it is on its way out, its sockets are still open.
    const isDead = fields[0] === 'Z' && Number(fields[17]) <= 1;
    return isDead ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function startByPs(pid: number): string | undefined {
  try {
    const told = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', env: { LC_ALL: 'C' } }).trim();
    return told === '' ? undefined : told;
  } catch {
    return undefined;
  }
}

export const isRunning = ({ pid, started }: OwnProcess): boolean => startOf(pid) === started;

/** Sends a signal to it and to nobody else; nothing where it has ended. */
export function signalOwn(own: OwnProcess, signal: NodeJS.Signals): void {
  if (!isRunning(own)) return;
  try {
    process.kill(own.pid, signal);
  } catch {
    // it ended meanwhile
  }
}

/** Whether it has ended within the time. */
export async function hasEnded(own: OwnProcess, withinMs: number): Promise<boolean> {
  const until = performance.now() + withinMs;
  while (isRunning(own)) {
    if (performance.now() > until) return false;
    await pause(20);
  }
  return true;
}

/** Asks it to end, and makes it after `graceMs`. */
export async function end(own: OwnProcess, graceMs: number): Promise<void> {
  signalOwn(own, 'SIGTERM');
  if (await hasEnded(own, graceMs)) return;
  signalOwn(own, 'SIGKILL');
  await hasEnded(own, 10_000);
}

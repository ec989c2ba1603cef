import { open, readFile, unlink } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { PortolanError } from '@portolan/contracts';
import { orMissing } from '../files.js';

const PATIENCE_MS = 10_000;
const LOOK_EVERY_MS = 25;

/**
 * Runs `act` while no other process does so under the same file. The lock of a process that died is taken over. Throws
 * `keys.register-busy` after ten seconds.
 */
export async function exclusively<T>(path: string, act: () => Promise<T>): Promise<T> {
  const until = performance.now() + PATIENCE_MS;
  while (!(await taken(path))) {
    if (performance.now() > until) throw new PortolanError('keys.register-busy', 'authority');
    await pause(LOOK_EVERY_MS);
  }
  try {
    return await act();
  } finally {
    await orMissing(unlink(path));
  }
}

async function taken(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(String(process.pid));
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    await removeIfLeft(path);
    return false;
  }
}

/** A file without a number was left in the moment of its making, or is being made: it is waited for once. */
async function removeIfLeft(path: string): Promise<void> {
  const holder = async (): Promise<string | undefined> => orMissing(readFile(path, 'utf8'));
  const first = await holder();
  if (first === undefined || isAlive(Number(first))) return;
  await pause(LOOK_EVERY_MS);
  if ((await holder()) === first) await orMissing(unlink(path));
}

function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

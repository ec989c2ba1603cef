// One process at a time: two commands started together in one clone (or in two clones that share the cache) must not
// install or build over each other.
import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BootstrapError, cacheFolder } from './places.mjs';

/**
 * Runs `work` while holding the lock `name`, and waits for whoever holds it. A lock whose owners died is taken over.
 * @template T
 * @param {string} name letters, digits and hyphens
 * @param {(own: (pid: number) => void) => Promise<T>} work calls `own` with each child it starts: a child that outlives a
 * killed parent still writes, so it holds the lock too
 * @param {{ waiting?: () => void, patienceMs?: number }} [options] `waiting` is called once if the lock is not free
 * @returns {Promise<T>}
 */
export async function exclusively(name, work, { waiting = () => undefined, patienceMs = 15 * 60_000 } = {}) {
  const folder = join(cacheFolder(), 'locks');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, name);
  const me = { token: randomUUID(), owners: [ownerOf(process.pid)] };
  await acquire(file, me, waiting, patienceMs);
  const release = () => rmSync(file, { force: true });
  // A signal's handler may end the process without unwinding to the `finally`.
  process.once('exit', release);
  try {
    return await work((pid) => addOwner(file, me, pid));
  } finally {
    process.removeListener('exit', release);
    release();
  }
}

async function acquire(file, me, waiting, patienceMs) {
  const ticket = `${file}.${me.token}`;
  writeFileSync(ticket, JSON.stringify(me));
  const deadline = Date.now() + patienceMs;
  try {
    for (let round = 0; ; round += 1) {
      if (place(ticket, file)) return;
      buryIfDead(file);
      if (round === 1) waiting();
      if (Date.now() > deadline)
        throw new BootstrapError(
          `another process holds ${file}`,
          'wait for it, or remove the file if none is running, and run the command again',
        );
      await sleep(round < 10 ? 20 : 200);
    }
  } finally {
    rmSync(ticket, { force: true });
  }
}

/** A hard link appears with its content or not at all, so a lock is never seen half-written. */
function place(ticket, file) {
  try {
    linkSync(ticket, file);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

function addOwner(file, me, pid) {
  me.owners.push(ownerOf(pid));
  writeFileSync(`${file}.${me.token}`, JSON.stringify(me));
  renameSync(`${file}.${me.token}`, file);
}

/** Of several that see the same dead owners, only the one that makes the folder named after its token removes the lock. */
function buryIfDead(file) {
  const lock = read(file);
  if (lock === undefined || lock.owners.some(alive)) return;
  const grave = `${file}.${lock.token}.dead`;
  try {
    mkdirSync(grave);
  } catch (error) {
    if (error.code === 'EEXIST') return;
    throw error;
  }
  if (read(file)?.token === lock.token) rmSync(file, { force: true });
  rmSync(`${file}.${lock.token}`, { force: true });
  rmdirSync(grave);
}

function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

function alive({ pid, started }) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
  // The number may have been given to another process since.
  return started === undefined || started === startOf(pid);
}

function ownerOf(pid) {
  return { pid, started: startOf(pid) };
}

/** When a process started, in clock ticks since boot (proc(5), field 22), where the system tells. */
function startOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

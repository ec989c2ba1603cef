import { readdir, readFile, readlink } from 'node:fs/promises';

/** What runs in a world, as far as it can be told from outside. */
export type CpuUser = 'PostgreSQL' | 'Kafka' | 'Fabric peers' | 'Fabric orderers' | 'chaincode' | 'roles' | 'this process';

/** Seconds of processor time that each has used so far, children that ended included. */
export type CpuSeconds = Readonly<Partial<Record<CpuUser, number>>>;

/** USER_HZ, by which Linux counts the times in /proc whatever its kernel's own clock (proc(5)). */
const TICKS_A_SECOND = 100;
const programs: Readonly<Record<string, CpuUser>> = {
  postgres: 'PostgreSQL',
  java: 'Kafka',
  peer: 'Fabric peers',
  orderer: 'Fabric orderers',
};

/**
 * Processor time of all processes that work in `folder` or were told of it, and of this one. Empty where there is no /proc: then nothing is
 * said of it.
 */
export async function cpuSeconds(folder: string): Promise<CpuSeconds> {
  const seconds: Partial<Record<CpuUser, number>> = {};
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    const used = await timeOf(pid, folder).catch(() => undefined);
    if (used !== undefined) seconds[used.by] = (seconds[used.by] ?? 0) + used.seconds;
  }
  return seconds;
}

/** What was used between two looks, as milliseconds a piece of work, the largest first. */
export function cpuMillisEach(before: CpuSeconds, after: CpuSeconds, pieces: number): readonly (readonly [CpuUser, number])[] {
  return (Object.entries(after) as [CpuUser, number][])
    .map(([user, seconds]) => [user, ((seconds - (before[user] ?? 0)) * 1000) / pieces] as const)
    .toSorted(([, a], [, b]) => b - a);
}

async function timeOf(pid: string, folder: string): Promise<{ by: CpuUser; seconds: number } | undefined> {
  const by = Number(pid) === process.pid ? 'this process' : await userOf(pid, folder);
  if (by === undefined) return undefined;
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The name stands in brackets and may hold anything; utime, stime, cutime and cstime are fields 14 to 17.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return { by, seconds: ticks / TICKS_A_SECOND };
}

async function userOf(pid: string, folder: string): Promise<CpuUser | undefined> {
  const [place, command] = await Promise.all([readlink(`/proc/${pid}/cwd`), readFile(`/proc/${pid}/cmdline`, 'utf8')]);
  if (!place.startsWith(folder) && !command.includes(folder)) return undefined;
  const name = (await readFile(`/proc/${pid}/comm`, 'utf8')).trim();
  return programs[name] ?? (command.includes('contract') ? 'chaincode' : 'roles');
}

import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../world/repository.js';
import { compared, type Measure } from './report.js';

/** Of what so many cores could do at most. */
const GOAL = 0.8;

/**
 * `portolan translate` over one batch file, with a thread for each core against one that does all: messages a second from the start of the
 * command to its end, results written.
 */
export async function poolMeasure(folder: string, messages: readonly string[], rounds: number): Promise<Measure> {
  const file = join(folder, 'batch.hl7');
  writeFileSync(file, messages.join(''));
  const cores = availableParallelism();
  const [ours, peer]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    peer.push(messages.length / (await secondsOf(folder, [file])));
    ours.push(messages.length / (await secondsOf(folder, [file, '--jobs', String(cores)])));
  }
  const what = `portolan translate of ${messages.length} messages, ${cores} threads against one`;
  return compared(what, 'messages/s', { ours, peer, goal: GOAL * cores });
}

async function secondsOf(folder: string, args: readonly string[]): Promise<number> {
  const out = join(folder, 'out');
  const began = performance.now();
  const command = [join(repository, 'apps/cli/dist/main.js'), 'translate', '--country', 'ee', '--out', out, ...args];
  const code = await new Promise<number | null>((resolve, reject) => {
    const child = spawn(process.execPath, command, { stdio: 'ignore' });
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`portolan translate ended with ${code}`);
  const seconds = (performance.now() - began) / 1000;
  rmSync(out, { recursive: true, force: true });
  return seconds;
}

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { repository } from '../world/world.js';

export interface CliOutcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the `portolan` command as a process of its own, against this world's folder. */
export function runCli(worldFolder: string, args: readonly string[]): Promise<CliOutcome> {
  const folder = args[0] === 'verify' ? [] : ['--folder', worldFolder];
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(repository, 'apps/cli/dist/main.js'), ...args, ...folder],
      { timeout: 60_000 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
        resolve({ code, stdout, stderr });
      },
    );
  });
}

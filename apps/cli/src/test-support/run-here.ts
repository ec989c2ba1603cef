import { runCli } from '../program.js';
import type { Exit } from '../terminal.js';

export interface Outcome {
  readonly exit: Exit;
  /** Standard output, and standard error. */
  readonly out: string;
  readonly notes: string;
}

/** Runs a command line in this process, as tests do. */
export async function runHere(
  args: readonly string[],
  around: { folder?: string; home?: string; trustFile?: string } = {},
): Promise<Outcome> {
  const out: string[] = [];
  const notes: string[] = [];
  const exit = await runCli(args, {
    out: (line) => void out.push(line),
    note: (line) => void notes.push(line),
    folder: around.folder ?? '/nonexistent',
    home: around.home ?? '/nonexistent',
    trustFile: around.trustFile,
  });
  return { exit, out: out.join('\n'), notes: notes.join('\n') };
}

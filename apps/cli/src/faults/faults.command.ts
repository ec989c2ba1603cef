import { InvalidArgumentError, type Command } from 'commander';
import type { Run } from '../terminal.js';
import type { FaultsFlags } from './faults.js';

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 1_000_000) throw new InvalidArgumentError('a whole number from 1 on');
  return value;
}

export function addFaults(program: Command, run: Run): void {
  program
    .command('faults')
    .description(
      'break something of three countries on real engines in the middle of many transfers, and have an independent checker judge',
    )
    .argument('[names...]', 'names of faults, tried one after the other in one world')
    .option('--list', 'list what can be broken, and which tests try the rest', false)
    .option('--transfers <n>', 'transfers that run meanwhile, for each fault', positive, 1_000)
    .option('--lanes <n>', 'questions under way at a time, each way', positive, 12)
    .option('--keep', 'leave the world’s folder, with databases and logs, where it is', false)
    .option('--json', 'print each report as one line of JSON', false)
    .addHelpText(
      'after',
      '\nExit code 0: every invariant holds after every fault. 1: one does not, and is named. docs/faults.md has the table.',
    )
    .action((names: readonly string[], flags: FaultsFlags) =>
      run(async (terminal) => (await import('./faults.js')).faultsCommand(names, flags, terminal)),
    );
}

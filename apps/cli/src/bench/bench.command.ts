import type { Command } from 'commander';
import type { Run } from '../terminal.js';

export function addBench(program: Command, run: Run): void {
  program
    .command('bench')
    .description('measure one thing on this machine against what it is compared with; without a name, list what can be measured')
    .argument('[name]', 'name of a benchmark')
    .option('--json', 'print the report as one line of JSON', false)
    .addHelpText('after', '\nExit code 0: every goal is reached. 1: one is not, and is marked. docs/benchmarks.md has the table.')
    .action((name: string | undefined, flags: { json: boolean }) =>
      run(async (terminal) => (await import('./bench.js')).bench(name, flags, terminal)),
    );
}

import type { Command } from 'commander';
import { nodeOptions } from '../files/node-options.js';
import type { Run } from '../terminal.js';
import type { DoctorFlags } from './doctor.js';

export function addDoctor(program: Command, run: Run): void {
  nodeOptions(program.command('doctor'))
    .description('say what is missing or wrong with a node, running or not, and how to mend it')
    .option('--token <token>', 'bearer token of an operator, to ask a running node (a demonstration logs in by itself)')
    .option('--json', 'print the findings as one line of JSON', false)
    .addHelpText('after', '\nWithout --config and --country it looks at every country of the data folder. Exit code 1: something is wrong.')
    .action((flags: DoctorFlags) => run(async (terminal) => (await import('./doctor.js')).doctor(flags, terminal)));
}

import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Run } from '../terminal.js';
import type { BenchFlags } from './bench.js';

export function addBench(program: Command, run: Run): void {
  program
    .command('bench')
    .description('measure one thing on this machine against what it is compared with; without a name, list what can be measured')
    .argument('[name]', 'name of a benchmark')
    .option('--json', 'print the report as one line of JSON', false)
    .option('--rounds <number>', 'rounds that count, instead of its own number', wholeNumber)
    .addOption(
      new Option('--client <name>', 'of what writes to Kafka: with which client').choices(['kafkajs', 'confluent']).default('kafkajs'),
    )
    .option('--batch <megabytes>', 'of translate: how long the batch file is whose memory is measured', wholeNumber)
    .option('--quick', 'seconds instead of minutes: whether it runs, not how fast', false)
    .addHelpText('after', '\nExit code 0: every goal is reached. 1: one is not, and is marked. docs/benchmarks.md has the table.')
    .action((name: string | undefined, flags: BenchFlags) =>
      run(async (terminal) => (await import('./bench.js')).bench(name, flags, terminal)),
    );
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 10_000) throw new InvalidArgumentError('It takes a whole number from 1 to 10000.');
  return value;
}

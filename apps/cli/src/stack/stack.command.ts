import { Option, type Command } from 'commander';
import type { Run } from '../terminal.js';
import type { StackFlags } from './stack.js';

export function addStack(program: Command, run: Run): void {
  program
    .command('stack')
    .description('start the engines that authorities run, for several countries on this machine, and leave them running')
    .addOption(new Option('--status', 'tell which engines run; nothing is started').default(false).conflicts('stop'))
    .option('--stop', 'end them all', false)
    .option('--json', 'print one JSON document for scripts', false)
    .option('--folder <dir>', 'where keys, databases and logs lie', '.portolan/real')
    .option('--countries <list>', 'countries, comma-separated, at least three', 'EE,PT,BE')
    .addHelpText(
      'after',
      `
Each country has a PostgreSQL cluster, a Kafka broker (KRaft, mutual TLS), a Fabric peer, orderer and chaincode service; the regulator's organisation
runs one more orderer. All listen on loopback. What is missing of Kafka and Fabric is brought into this user's cache the first time (Go, Java and Maven).
demo --real plays on them and leaves them running; portolan join adds a country; portolan node --config DIR/ee/node.json runs a node on them.

Exit codes: 0 done, or with --status all up; 1 failed, or something is down; 2 wrong command line; 3 no engines in this folder, or this machine cannot make them.`,
    )
    .action((flags: StackFlags) => run(async (terminal) => (await import('./stack.js')).stack(flags, terminal)));
}

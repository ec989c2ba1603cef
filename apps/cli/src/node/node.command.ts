import { Option, type Command } from 'commander';
import { nodeOptions } from '../files/node-options.js';
import type { Run } from '../terminal.js';
import type { RunNodeFlags } from './run-node.js';

export function addNode(program: Command, run: Run): void {
  nodeOptions(program.command('node'))
    .description("run a country's node, one role of it, or the orderer of the embedded ledger, until Ctrl-C")
    .addOption(new Option('--role <role>', 'one role as its own process').choices(['edge', 'exchange', 'notary']))
    .addOption(new Option('--orderer', "the embedded ledger's orderer").conflicts(['country', 'role']))
    .addHelpText(
      'after',
      "\nPrints 'ready' and what runs when it is up. The database and, for a node, the orderer have to be there before.",
    )
    .action((flags: RunNodeFlags) => run(async (terminal) => (await import('./run-node.js')).runNode(flags, terminal)));
}

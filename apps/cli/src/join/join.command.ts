import type { Command } from 'commander';
import type { Run } from '../terminal.js';
import type { JoinFlags } from './join.js';

export function addJoin(program: Command, run: Run): void {
  program
    .command('join')
    .description('add a country to a running channel, while its traffic goes on')
    .argument('<country>', 'two letters, such as DE')
    .option('--json', 'print one JSON document for scripts', false)
    .option('--folder <dir>', 'folder of the engines (portolan stack)', '.portolan/real')
    .addHelpText(
      'after',
      `
In this order: keys and certificates, database and broker of the country; its entry in the channel's configuration, signed by a majority of the members; its
peer, which reads the channel from the first block; its chaincode, approved by all; its orderer, first as a follower and, once it has caught up, among those that
agree on blocks; its acts in the registry; topics, grants and configuration of all countries. Nodes that run learn of the new partner by themselves.
Each step asks whether it is done: a joining that was cut off is completed by the same command. docs/recipes/join-a-country.md says who does what
where the members are different authorities.`,
    )
    .action((country: string, flags: JoinFlags) => run(async (terminal) => (await import('./join.js')).join(country, flags, terminal)));
}

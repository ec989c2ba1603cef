import { Option, type Command } from 'commander';
import { nodeOptions } from '../files/node-options.js';
import type { Run } from '../terminal.js';
import type { ReplayFlags } from './replay.js';

export function addReplay(program: Command, run: Run): void {
  nodeOptions(program.command('replay'))
    .description('list what a node could not use, get an original, repair and replay it, or discard it with a reason')
    .argument('[id]', 'id of a reject, or with --dead-letters what the list shows as id')
    .addOption(new Option('--list', 'list the open rejects (the default without an id)').conflicts(['file', 'save', 'discard']))
    .option('--file <repaired>', "replay these bytes instead of the original's")
    .addOption(new Option('--save <file>', 'keep the original in this file, to be repaired').conflicts(['file', 'discard']))
    .addOption(new Option('--discard', 'give the reject up; needs --reason').conflicts('file'))
    .option('--reason <text>', 'why it is discarded; kept, so no personal data')
    .addOption(
      new Option(
        '--dead-letters',
        'the same for deliveries that were given up, from and to partners and between the roles: list, or revive one',
      ).conflicts(['file', 'save', 'discard']),
    )
    .option('--token <token>', 'bearer token of an operator (a demonstration logs in by itself)')
    .option('--json', 'print JSON', false)
    .addHelpText(
      'after',
      '\nRepair: replay ID --save original.hl7, mend the copy, replay ID --file mended.hl7. The original is kept in any case.',
    )
    .action((id: string | undefined, flags: ReplayFlags) =>
      run(async (terminal) => (await import('./replay.js')).replay(id, flags, terminal)),
    );
}

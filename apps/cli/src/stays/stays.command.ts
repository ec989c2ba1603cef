import type { Command } from 'commander';
import { nodeOptions } from '../files/node-options.js';
import type { Run } from '../terminal.js';
import type { AnswerFlags, StaysFlags } from './stays.js';

export function addStays(program: Command, run: Run): void {
  const stays = program
    .command('stays')
    .description("other organisations' stays that stand where their number was moved away: list them, move or keep one with a reason");
  atNode(stays.command('list'))
    .description('those of which a node asks, the longest waiting first')
    .action((flags: StaysFlags) => run(async (terminal) => (await import('./stays.js')).list(flags, terminal)));
  for (const [what, words] of [
    ['move', 'it goes where its number was moved, with what belongs to it'],
    ['keep', 'it is where it belongs'],
  ] as const)
    atNode(stays.command(what))
      .description(words)
      .argument('<id>', 'id, as the list shows it')
      .requiredOption('--reason <text>', 'why; the person reads it')
      .action((id: string, flags: AnswerFlags) => run(async (terminal) => (await import('./stays.js')).answer(id, what, flags, terminal)));
}

const atNode = (command: Command): Command =>
  nodeOptions(command)
    .option('--token <token>', 'bearer token of an operator (a demonstration logs in by itself)')
    .option('--json', 'print JSON', false);

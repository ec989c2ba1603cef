import type { Command } from 'commander';
import { operatorOptions, type OperatorFlags } from '../files/node-options.js';
import type { Run } from '../terminal.js';
import type { AnswerFlags } from './stays.js';

export function addStays(program: Command, run: Run): void {
  const stays = program
    .command('stays')
    .description("other organisations' stays that stand where their number was moved away: list them, move or keep one with a reason");
  operatorOptions(stays.command('list'))
    .description('those of which a node asks, the longest waiting first')
    .action((flags: OperatorFlags) => run(async (terminal) => (await import('./stays.js')).list(flags, terminal)));
  for (const [what, words] of [
    ['move', 'it goes where its number was moved, with what belongs to it'],
    ['keep', 'it is where it belongs'],
  ] as const)
    operatorOptions(stays.command(what))
      .description(words)
      .argument('<id>', 'id, as the list shows it')
      .requiredOption('--reason <text>', 'why; the person reads it')
      .action((id: string, flags: AnswerFlags) => run(async (terminal) => (await import('./stays.js')).answer(id, what, flags, terminal)));
}

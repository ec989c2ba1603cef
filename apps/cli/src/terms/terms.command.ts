import { Option, type Command } from 'commander';
import { nodeOptions } from '../files/node-options.js';
import type { Run } from '../terminal.js';
import type { AnswerFlags, TermsFlags } from './terms.js';

const equivalences = [
  'equal',
  'equivalent',
  'wider',
  'subsumes',
  'relatedto',
  'narrower',
  'specializes',
  'inexact',
  'unmatched',
  'disjoint',
];

export function addTerms(program: Command, run: Run): void {
  const terms = program
    .command('terms')
    .description('codes that no code map knows: list what a node asks, answer it, translate again what met it');
  atNode(terms.command('list'))
    .description('open questions, the longest waiting first')
    .action((flags: TermsFlags) => run(async (terminal) => (await import('./terms.js')).list(flags, terminal)));
  atNode(terms.command('answer'))
    .description('give a code its counterpart, or say that it has none')
    .argument('<code>', 'the code, as the list shows it')
    .requiredOption('--map <id>', 'the concept map, as the list shows it')
    .option('--system <uri>', 'the system of the code, as the list shows it')
    .addOption(new Option('--equivalence <value>', 'FHIR R4, read from the counterpart').choices(equivalences).makeOptionMandatory())
    .option('--to <system|code>', 'the counterpart, such as http://loinc.org|2345-7; none of unmatched and disjoint')
    .option('--display <text>', "the counterpart's words")
    .option('--comment <text>', 'in what sense it is narrower or inexact')
    .action((code: string, flags: AnswerFlags) => run(async (terminal) => (await import('./terms.js')).answer(code, flags, terminal)));
  atNode(terms.command('again'))
    .description('translate the messages again that met what is answered since')
    .action((flags: TermsFlags) => run(async (terminal) => (await import('./terms.js')).translateAgain(flags, terminal)));
}

const atNode = (command: Command): Command =>
  nodeOptions(command)
    .option('--token <token>', 'bearer token of an operator (a demonstration logs in by itself)')
    .option('--json', 'print JSON', false);

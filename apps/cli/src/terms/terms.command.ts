import { Argument, Option, type Command } from 'commander';
import { nodeOptions, operatorOptions, type OperatorFlags } from '../files/node-options.js';
import type { Run } from '../terminal.js';
import type { ImportFlags } from './import-release.js';
import type { AnswerFlags } from './terms.js';

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
    .description('codes that no code map knows: list what a node asks, answer it, translate again what met it; import code systems');
  operatorOptions(terms.command('list'))
    .description('open questions, the longest waiting first')
    .action((flags: OperatorFlags) => run(async (terminal) => (await import('./terms.js')).list(flags, terminal)));
  operatorOptions(terms.command('answer'))
    .description('give a code its counterpart, or say that it has none')
    .argument('<code>', 'the code, as the list shows it')
    .requiredOption('--map <id>', 'the concept map, as the list shows it')
    .option('--system <uri>', 'the system of the code, as the list shows it')
    .addOption(new Option('--equivalence <value>', 'FHIR R4, read from the counterpart').choices(equivalences).makeOptionMandatory())
    .option('--to <system|code>', 'the counterpart, such as http://loinc.org|2345-7; none of unmatched and disjoint')
    .option('--display <text>', "the counterpart's words")
    .option('--comment <text>', 'in what sense it is narrower or inexact')
    .action((code: string, flags: AnswerFlags) => run(async (terminal) => (await import('./terms.js')).answer(code, flags, terminal)));
  operatorOptions(terms.command('again'))
    .description('translate the messages again that met what is answered since')
    .action((flags: OperatorFlags) => run(async (terminal) => (await import('./terms.js')).translateAgain(flags, terminal)));
  addImport(terms, run);
}

const publishers = ['loinc', 'snomed', 'snomed-ips', 'atc', 'edqm', 'icd10'] as const;

function addImport(terms: Command, run: Run): void {
  nodeOptions(terms.command('import'))
    .description("a publisher's release into the folder that the country's node reads")
    .addArgument(new Argument('<publisher>', 'whose release').choices(publishers))
    .argument('<files...>', "the publisher's own files, UTF-8")
    .option('--release <version>', 'the version, where the files name none')
    .option('--language <tag>', 'language of the names, where the files do not say it (BCP 47)')
    .option('--system <uri>', "URI of the code system, where it is a country's own edition")
    .option('--json', 'print JSON', false)
    .addHelpText(
      'after',
      '\nloinc   Loinc.csv, and any of AccessoryFiles/LinguisticVariants/*LinguisticVariant.csv\n' +
        'snomed  of a Snapshot folder (RF2): sct2_Concept_, sct2_Description_, and as wished sct2_Relationship_, der2_cRefset_Language\n' +
        'snomed-ips  the same of the IPS Terminology (CC BY 4.0), a part of SNOMED CT: a code that is not in it is no mistake\n' +
        'atc     the index as XML (ATCCode, Name) or CSV\nedqm    standard terms as JSON or CSV\nicd10   one ClaML file\n' +
        'Names of codes that somebody licenses stay in that folder: they are no part of this repository.\n' +
        'Exit code 1 where a file is not in its layout or cannot be read: what was in force before stays so.',
    )
    .action((publisher: (typeof publishers)[number], files: string[], flags: ImportFlags) =>
      run(async (terminal) => (await import('./import-release.js')).importRelease(publisher, files, flags, terminal)),
    );
}

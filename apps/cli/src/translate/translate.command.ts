import { InvalidArgumentError, Option, type Command } from 'commander';
import type { CharsetOut } from '@portolan/contracts';
import type { Run } from '../terminal.js';
import type { TranslateFlags } from './translator.js';

/** Each is known to the contract of country.json. */
const charsets: readonly CharsetOut[] = [
  ...(['ASCII', '8859/1', '8859/2', '8859/3', '8859/4', '8859/5', '8859/6', '8859/7', '8859/8', '8859/9', '8859/15'] as const),
  'UNICODE UTF-8',
  'UNICODE UTF-16',
];

export function addTranslate(program: Command, run: Run): void {
  program
    .command('translate')
    .description('translate files of national formats into FHIR R4, or FHIR R4 back, with an account of every value')
    .argument(
      '<files...>',
      'files, or folders of files: HL7 v2, CDA, KMEHR, LDT, CSV or foreign FHIR R4 (JSON); with --to, FHIR R4 as JSON',
    )
    .option('--country <cc>', 'rules, code systems and time zone of this country (default: those of the standards alone)')
    .addOption(
      new Option('--format <format>', 'what the files are')
        .choices(['auto', 'hl7v2', 'cda', 'kmehr', 'ldt', 'csv', 'fhir'])
        .default('auto'),
    )
    .addOption(
      new Option(
        '--to <format>',
        'write FHIR back as HL7 v2 messages (ADT, ORU: as many as the record needs), or as a CDA patient summary',
      ).choices(['hl7v2', 'cda']),
    )
    .addOption(
      new Option(
        '--charset <set>',
        "character set of HL7 v2 that is written, by its name in HL7 table 0211 (default: the country's, else UTF-8)",
      ).choices(charsets),
    )
    .option('--jobs <number>', 'translate so many documents at once, each in a thread (default: one after the other)', threads)
    .option('--json', 'print the account of each document, one a line', false)
    .option('--out <dir>', 'folder of the results, made where it is missing (default: the current folder)')
    .option('--countries <dir>', 'folder that holds the countries (default: those of this clone)')
    .option('--terminology <dir>', "imported code systems (default: those of the country's node in .portolan/demo, where there is one)")
    .addHelpText(
      'after',
      "\nWrites NAME.fhir.json (a Bundle, decimals with their digits) and NAME.report.json, NAME being the file's name with its ending;\n" +
        'of a batch file (FHS, BHS, or several messages) NAME.1, NAME.2 and so on, one for each message.\n' +
        'With --to hl7v2: NAME.hl7 (ER7), with --to cda: NAME.xml, and NAME.report.json, which tells of every value where it stands there or why it does not.\n' +
        'Of a folder, hidden files and the results of an earlier run are left out.\n' +
        'With --json a line a document: {"written":[FILES],"refused":false,"account":{what the report says}}, or {"code":…,"where":…} where there is none.\n' +
        'Exit code 1 where a document cannot be read, or a node would refuse it as a whole; what else could not be used of it stands in its report.\n' +
        'A signal lets it end the documents that are begun, then 130 (SIGINT) or 143 (SIGTERM); a second one ends it at once.',
    )
    .action((files: string[], flags: TranslateFlags) =>
      run(async (terminal) => (await import('./translate-files.js')).translateFiles(files, flags, terminal)),
    );
}

function threads(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 256) throw new InvalidArgumentError('It takes a whole number from 1 to 256.');
  return value;
}

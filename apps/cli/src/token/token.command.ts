import { Option, type Command } from 'commander';
import { folderOption } from '../files/node-options.js';
import type { Run } from '../terminal.js';

const purposes = ['TREAT', 'ETREAT', 'HPAYMT', 'PUBHLTH', 'PATRQT', 'HRESCH'] as const;

export function addToken(program: Command, run: Run): void {
  program
    .command('token')
    .description('print a bearer token of a demo person, regulator or operator, or of a demo hospital (demo mode alone)')
    .addOption(new Option('--as <person@cc>', 'who logs in, such as mari@EE, regulator@EE or operator@PT').conflicts('system'))
    .option('--system <cc>', "the demo hospital's own system (SMART Backend Services)")
    .addOption(folderOption())
    .addHelpText(
      'after',
      '\nThe token stands alone on standard output:\n  curl -H "authorization: Bearer $(npx portolan token --as mari@EE)" …',
    )
    .action((flags: { as?: string; system?: string; folder?: string }) =>
      run(async (terminal) => (await import('./token.js')).printToken(flags, terminal)),
    );
}

export function addActing(program: Command, run: Run): void {
  program
    .command('acting')
    .description('print a fresh statement of who acts, signed by the demo hospital (IHE IUA; demo mode alone)')
    .requiredOption('--as <clinician@cc>', 'who acts, such as doctor-pt@PT')
    .addOption(new Option('--purpose <purpose>', 'why').choices(purposes).default('TREAT'))
    .addOption(folderOption())
    .addHelpText(
      'after',
      '\nIt goes into the header portolan-acting-professional, beside the bearer token of the same hospital, and holds four minutes.',
    )
    .action((flags: { as: string; purpose: (typeof purposes)[number]; folder?: string }) =>
      run(async (terminal) => (await import('./token.js')).printActing(flags, terminal)),
    );
}

import type { Command } from 'commander';
import type { Run } from '../terminal.js';

export function addVerify(program: Command, run: Run): void {
  program
    .command('verify')
    .description('verify a receipt offline, with nothing but the pinned trust file')
    .argument('<receipt>', 'receipt file; each of its bytes counts')
    .option('--trust <file>', 'pinned trust file')
    .option('--json', 'print the report as one line of JSON', false)
    .addHelpText(
      'after',
      '\nWithout --trust: $PORTOLAN_TRUST, ./portolan-trust.json, ~/.config/portolan/trust.json, in this order.\n' +
        'Exit code 0: every step holds. 1: a step failed and is named, or there is nothing to verify against.',
    )
    .action((receipt: string, flags: { trust?: string; json: boolean }) =>
      run(async (terminal) => (await import('./verify.js')).verifyFile(receipt, flags, terminal)),
    );
}

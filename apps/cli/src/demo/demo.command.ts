import { Option, type Command } from 'commander';
import { exits, type Run } from '../terminal.js';

interface DemoFlags {
  readonly once: boolean;
  readonly json: boolean;
  readonly fresh: boolean;
  readonly real: boolean;
  readonly folder?: string;
}

export function addDemo(program: Command, run: Run): void {
  program
    .command('demo')
    .description('boot four countries on this machine and play the story of a record that crosses a border')
    .option('--once', 'end after the story instead of running until Ctrl-C', false)
    .option('--json', 'print one JSON summary as the last line', false)
    .option('--fresh', 'begin with an empty data folder', false)
    .option('--real', 'on a PostgreSQL cluster, a Kafka broker and a Fabric peer and orderer a country, made on this machine', false)
    .addOption(new Option('--folder <dir>', 'where keys, databases and receipts lie (default: .portolan/demo, with --real .portolan/real)'))
    .addHelpText('after', '\n--real needs Go, Java and Maven the first time; what it makes of them is kept in the cache of this user.')
    .action((flags: DemoFlags) =>
      run(async () => {
        const { runDemo } = await import('@portolan/testing');
        return (await runDemo(flags)) === 0 ? exits.ok : exits.failed;
      }),
    );
}

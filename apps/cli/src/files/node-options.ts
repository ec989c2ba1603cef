import { Option, type Command } from 'commander';

/** How a command names the node that it is about. */
export interface NodeFlags {
  readonly config?: string;
  readonly country?: string;
  readonly folder?: string;
}

/** The options by which a node is named: its configuration file, or a country of the demonstration's data folder. */
export function nodeOptions(command: Command): Command {
  return command
    .addOption(new Option('--config <file>', "the node's configuration").conflicts(['country', 'folder']))
    .option('--country <cc>', 'a country of the data folder, such as EE')
    .addOption(folderOption());
}

export const folderOption = (): Option => new Option('--folder <dir>', "the demonstration's data folder (default: .portolan/demo)");

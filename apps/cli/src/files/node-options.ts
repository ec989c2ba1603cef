import { Option, type Command } from 'commander';

/** How a command names the node that it is about. */
export interface NodeFlags {
  readonly config?: string;
  readonly country?: string;
  readonly folder?: string;
}

/** How a command asks a running node as its operator. */
export interface OperatorFlags extends NodeFlags {
  readonly token?: string;
  readonly json: boolean;
}

/** The options by which a node is named: its configuration file, or a country of the demonstration's data folder. */
export function nodeOptions(command: Command): Command {
  return command
    .addOption(new Option('--config <file>', "the node's configuration").conflicts(['country', 'folder']))
    .option('--country <cc>', 'a country of the data folder, such as EE')
    .addOption(folderOption());
}

/** Those by which a node is named, and by which an operator shows who asks. */
export function operatorOptions(command: Command): Command {
  return nodeOptions(command)
    .option('--token <token>', 'bearer token of an operator (a demonstration logs in by itself)')
    .option('--json', 'print JSON', false);
}

export const folderOption = (): Option => new Option('--folder <dir>', "the demonstration's data folder (default: .portolan/demo)");

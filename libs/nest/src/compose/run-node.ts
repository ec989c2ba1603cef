import 'reflect-metadata';
import { parseArgs } from 'node:util';
import { PortolanError } from '@portolan/contracts';
import type { Role } from '@portolan/domain';
import { readNodeConfig } from '../config/read-node-config.js';
import { startNode } from './start-node.js';

const USAGE = 'usage: --config FILE   (node configuration, JSON; schema node-config in libs/contracts)\n';

/**
 * The whole main of an app: reads the configuration named by `--config`, starts one role or all, says `ready`, and stops cleanly at
 * SIGINT and SIGTERM. Exit 2: the command line is wrong; exit 1: the node could not start, with what to do next on standard error.
 */
export async function runNode(args: readonly string[], only: Role | undefined): Promise<void> {
  const config = configOf(args);
  if (config === undefined) {
    process.stderr.write(USAGE);
    process.exitCode = 2;
    return;
  }
  try {
    const node = await startNode(await readNodeConfig(config), only, (line) => process.stderr.write(`${line}\n`), config);
    untilStopped(() => node.close());
    process.stdout.write(`ready ${node.roles.join(' ')}\n`);
  } catch (error) {
    process.stderr.write(`${error instanceof PortolanError ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}

function configOf(args: readonly string[]): string | undefined {
  try {
    return parseArgs({ args: [...args], options: { config: { type: 'string' } } }).values.config;
  } catch {
    return undefined;
  }
}

/** Closes once at the first signal; a second one ends the process at once. */
export function untilStopped(close: () => Promise<void>): void {
  let stopping = false;
  const stop = (): void => {
    if (stopping) process.exit(130);
    stopping = true;
    void close().finally(() => process.exit(0));
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

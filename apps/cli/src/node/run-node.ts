import { resolve, join } from 'node:path';
import { parseBounded, PortolanError, Validators, type OrdererConfig } from '@portolan/contracts';
import type { Role } from '@portolan/domain';
import { readNodeConfig, startNode, startOrderer, untilStopped } from '@portolan/nest';
import { demoFolder, findConfig } from '../files/find-config.js';
import type { NodeFlags } from '../files/node-options.js';
import { exactText, readBytes, systemCode } from '../files/read-file.js';
import { exits, type Exit, type Terminal } from '../terminal.js';

export interface RunNodeFlags extends NodeFlags {
  readonly role?: Role;
  readonly orderer?: true;
}

const MAX_CONFIG_BYTES = 1_000_000;

/** `portolan node`: starts what the options name and says so; signals end it. Throws `cli.port-taken` besides what the start throws. */
export async function runNode(flags: RunNodeFlags, terminal: Terminal): Promise<Exit> {
  try {
    return await (flags.orderer === true ? runOrderer(flags, terminal) : runCountry(flags, terminal));
  } catch (error) {
    throw systemCode(error) === 'EADDRINUSE'
      ? new PortolanError('cli.port-taken', addressOf(error as { address?: unknown; port?: unknown }))
      : error;
  }
}

const addressOf = ({ address, port }: { address?: unknown; port?: unknown }): string => `${String(address)}:${String(port)}`;

async function runCountry(flags: RunNodeFlags, terminal: Terminal): Promise<Exit> {
  const file = await findConfig(flags, terminal);
  const config = await readNodeConfig(file);
  // Alone in its process, a role of a node that is configured together would reach none of the others.
  if (flags.role !== undefined && config.transport.kind === 'together') throw new PortolanError('cli.roles-together', flags.role);
  const node = await startNode(config, flags.role, (line) => terminal.note(line), file);
  untilStopped(() => node.close());
  terminal.out(`ready ${node.roles.join(' ')}`);
  return exits.ok;
}

async function runOrderer(flags: RunNodeFlags, terminal: Terminal): Promise<Exit> {
  const file =
    flags.config === undefined ? join(demoFolder(flags, terminal), 'reg', 'orderer.json') : resolve(terminal.folder, flags.config);
  const orderer = await startOrderer(await readOrdererConfig(file), (line) => terminal.note(line));
  untilStopped(() => orderer.close());
  terminal.out('ready orderer');
  return exits.ok;
}

/** Throws `cli.file-unreadable`, `config.invalid` with the field that is missing or wrong. */
async function readOrdererConfig(file: string): Promise<OrdererConfig> {
  const where = 'orderer configuration';
  const text = exactText(await readBytes(file, file, MAX_CONFIG_BYTES)) ?? '';
  return new Validators().check<OrdererConfig>(
    'orderer-config',
    parseBounded(text, MAX_CONFIG_BYTES, 'config.invalid', where),
    'config.invalid',
    where,
  );
}

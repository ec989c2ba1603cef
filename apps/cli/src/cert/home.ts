import { resolve } from 'node:path';
import { readNodeConfig } from '@portolan/nest/config';
import { ownEnds, type OwnEnd } from '@portolan/nest/certificates';
import { findConfig } from '../files/find-config.js';
import type { NodeFlags } from '../files/node-options.js';
import { WrongUsage, type Terminal } from '../terminal.js';

export interface HomeFlags extends NodeFlags {
  readonly home?: string;
}

/** The country's folder that the options name. Throws `cli.config-missing`, and WrongUsage where they name none. */
export async function findHome(flags: HomeFlags, terminal: Terminal): Promise<string> {
  if (flags.home !== undefined) return resolve(terminal.folder, flags.home);
  if (flags.config === undefined && flags.country === undefined)
    throw new WrongUsage("name the country's folder by --home DIR, or its node by --country CC or --config FILE");
  return (await readNodeConfig(await findConfig(flags, terminal))).home;
}

export const isOwnEnd = (what: string): what is OwnEnd => ownEnds.some((end) => end === what);

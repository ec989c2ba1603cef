import { resolve } from 'node:path';
import { readNodeConfig } from '@portolan/nest/config';
import { ownEnds, withOffice, type CertificateOffice, type OwnEnd } from '@portolan/nest/certificates';
import { findConfig } from '../files/find-config.js';
import type { NodeFlags } from '../files/node-options.js';
import { WrongUsage, type Terminal } from '../terminal.js';
import { readText } from './texts.js';

export interface HomeFlags extends NodeFlags {
  readonly home?: string;
}

export interface OfficeFlags extends HomeFlags {
  readonly pkcs11?: string;
}

/** Runs `act` with the office of the country that the options name, and lets its token go. */
export async function atOffice<T>(flags: OfficeFlags, terminal: Terminal, act: (office: CertificateOffice) => Promise<T>): Promise<T> {
  const home = await findHome(flags, terminal);
  return withOffice(home, flags.pkcs11 === undefined ? undefined : await readText(flags.pkcs11, terminal), act);
}

/** The country's folder that the options name. Throws `cli.config-missing`, and WrongUsage where they name none. */
export async function findHome(flags: HomeFlags, terminal: Terminal): Promise<string> {
  if (flags.home !== undefined) return resolve(terminal.folder, flags.home);
  if (flags.config === undefined && flags.country === undefined)
    throw new WrongUsage("name the country's folder by --home DIR, or its node by --country CC or --config FILE");
  return (await readNodeConfig(await findConfig(flags, terminal))).home;
}

export const isOwnEnd = (what: string): what is OwnEnd => ownEnds.some((end) => end === what);

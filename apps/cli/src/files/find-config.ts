import { access, readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { PortolanError } from '@portolan/contracts';
import { WrongUsage, type Terminal } from '../terminal.js';
import type { NodeFlags } from './node-options.js';

/** Where the demonstration keeps its countries, each in a folder of its own. */
export function demoFolder({ folder }: Pick<NodeFlags, 'folder'>, terminal: Pick<Terminal, 'folder'>): string {
  return resolve(terminal.folder, folder ?? join('.portolan', 'demo'));
}

/** The configuration file that the options name. Throws `cli.config-missing`, and WrongUsage where they name none. */
export async function findConfig(flags: NodeFlags, terminal: Terminal): Promise<string> {
  const { config, country } = flags;
  if (config !== undefined) return existing(resolve(terminal.folder, config), config);
  if (country === undefined) throw new WrongUsage('name the node by --country CC or --config FILE');
  return existing(countryFile(demoFolder(flags, terminal), country), country.toUpperCase());
}

/** A country's configuration in a data folder. */
export function countryFile(folder: string, country: string): string {
  if (!/^[A-Za-z]{2}$/.test(country)) throw new WrongUsage(`'${country}' is no country: two letters, such as EE`);
  return join(folder, country.toLowerCase(), 'node.json');
}

/** The configurations of every country in a data folder; none where there is no such folder. */
export async function everyConfig(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  const files = names.filter((name) => /^[a-z]{2}$/.test(name)).map((name) => countryFile(folder, name));
  const there = await Promise.all(files.map(isThere));
  return files.filter((_, i) => there[i] === true).sort();
}

async function existing(file: string, name: string): Promise<string> {
  if (!(await isThere(file))) throw new PortolanError('cli.config-missing', name, file);
  return file;
}

/** Whether there is something under this name. */
export async function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

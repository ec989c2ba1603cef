import { resolve } from 'node:path';
import { startStack, stackStatus } from '@portolan/testing';
import { steps } from '../stack/stack.js';
import { exits, WrongUsage, type Exit, type Terminal } from '../terminal.js';

export interface JoinFlags {
  readonly json: boolean;
  readonly folder: string;
}

/** Adds a country to the engines of a folder. */
export async function join(country: string, { folder: named, json }: JoinFlags, terminal: Terminal): Promise<Exit> {
  const org = country.toUpperCase();
  if (!/^[A-Z]{2}$/.test(org)) throw new WrongUsage(`${country}: a country is two letters`);
  const folder = resolve(terminal.folder, named);
  if ((await stackStatus(folder)).length === 0) {
    terminal.note(`no channel in ${folder}: npm run stack founds one`);
    return exits.absent;
  }
  const engines = (await startStack({ folder, countries: [org], progress: steps(terminal) })).filter(({ owner }) => owner === org);
  if (json) terminal.out(JSON.stringify({ folder, country: org, engines }));
  else terminal.out(`${org} is a member: its node starts with portolan node --config ${folder}/${org.toLowerCase()}/node.json`);
  return exits.ok;
}

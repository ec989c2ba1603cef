import { join } from 'node:path';
import { PortolanError, type NodeConfig, type Purpose } from '@portolan/contracts';
import { readNodeConfig } from '@portolan/nest/config';
import { CountryClient, demoClinicians, demoLogin, systemKey } from '@portolan/testing/client';
import { findConfig, isThere } from '../files/find-config.js';
import { exits, WrongUsage, type Exit, type Terminal } from '../terminal.js';

/** `portolan token`: a bearer token alone on standard output. Refuses outside of demo mode with `cli.demo-only`. */
export async function printToken(flags: { as?: string; system?: string; folder?: string }, terminal: Terminal): Promise<Exit> {
  const { as: who, system, folder } = flags;
  if (who !== undefined) {
    const { account, country } = whoAt(who);
    const { config } = await demoConfig(country, folder, terminal);
    terminal.out(await demoLogin(config.openid.issuer, account));
  } else if (system !== undefined) {
    terminal.out(await (await hospitalOf(system.toUpperCase(), folder, terminal)).systemToken());
  } else throw new WrongUsage('name somebody by --as PERSON@CC, or a hospital by --system CC');
  return exits.ok;
}

/** `portolan acting`: the statement of a demo hospital about one of its clinicians. */
export async function printActing(flags: { as: string; purpose: Purpose; folder?: string }, terminal: Terminal): Promise<Exit> {
  const { account, country } = whoAt(flags.as);
  const client = await hospitalOf(country, flags.folder, terminal);
  const clinician = demoClinicians[country];
  if (clinician?.id !== account) throw new PortolanError('cli.clinician-unknown', flags.as);
  terminal.out(await client.actingStatement(clinician, flags.purpose));
  return exits.ok;
}

function whoAt(text: string): { account: string; country: string } {
  const parts = /^([^@]{1,100})@([A-Za-z]{2})$/.exec(text);
  if (parts === null) throw new WrongUsage(`'${text}' names nobody: NAME@CC, such as mari@EE`);
  return { account: parts[1] ?? '', country: (parts[2] ?? '').toUpperCase() };
}

/** A country's configuration, where it is a demonstration. Throws `cli.demo-only`, `cli.config-missing`. */
async function demoConfig(
  country: string,
  folder: string | undefined,
  terminal: Terminal,
): Promise<{ config: NodeConfig; configFile: string }> {
  const configFile = await findConfig({ country, ...(folder === undefined ? {} : { folder }) }, terminal);
  const config = await readNodeConfig(configFile);
  if (config.mode !== 'demo') throw new PortolanError('cli.demo-only', country);
  return { config, configFile };
}

/** The demonstration hospital of a country, with its own key. Throws `cli.demo-incomplete` besides. */
async function hospitalOf(country: string, folder: string | undefined, terminal: Terminal): Promise<CountryClient> {
  const { config, configFile } = await demoConfig(country, folder, terminal);
  const keys = join(config.home, 'demo');
  const clientId = `hospital-${country.toLowerCase()}`;
  // A missing key would be made anew, and be one that the country's provider does not know.
  if (!(await isThere(join(keys, `${clientId}.jwk.json`))))
    throw new PortolanError('cli.demo-incomplete', `${country}/demo/${clientId}.jwk.json`);
  return new CountryClient({ config, configFile, hospital: { clientId, key: await systemKey(keys, clientId) } });
}

import { resolve } from 'node:path';
import { EngineAbsent, startStack, stackStatus, stopStack, type EngineStatus } from '@portolan/testing';
import { table } from '../table.js';
import { exits, WrongUsage, type Exit, type Terminal } from '../terminal.js';

export interface StackFlags {
  readonly status: boolean;
  readonly stop: boolean;
  readonly json: boolean;
  readonly folder: string;
  readonly countries: string;
}

/** Starts, tells of, or ends the engines of a folder. */
export async function stack(flags: StackFlags, terminal: Terminal): Promise<Exit> {
  const folder = resolve(terminal.folder, flags.folder);
  const note = steps(terminal);
  if (flags.stop) {
    const ended = await stopStack(folder, (what) => note(`ending ${what}`));
    if (flags.json) terminal.out(JSON.stringify({ ended }));
    else terminal.out(ended === 0 ? `no engine of ${folder} was running` : `${ended} engines ended`);
    return exits.ok;
  }
  if (flags.status) return tell(await stackStatus(folder), folder, flags, terminal);
  try {
    return tell(await startStack({ folder, countries: countriesOf(flags.countries), progress: note }), folder, flags, terminal);
  } catch (error) {
    if (!(error instanceof EngineAbsent)) throw error;
    terminal.note(error.message);
    return exits.absent;
  }
}

/** Tells each step with the seconds since the start. */
export function steps(terminal: Terminal): (what: string) => void {
  const begun = performance.now();
  return (what) => terminal.note(`  ${((performance.now() - begun) / 1000).toFixed(1).padStart(5)} s  ${what}`);
}

export function countriesOf(list: string): readonly string[] {
  const countries = list.split(',').map((one) => one.trim().toUpperCase());
  if (!countries.every((one) => /^[A-Z]{2}$/.test(one))) throw new WrongUsage(`--countries ${list}: two letters each, separated by commas`);
  if (new Set(countries).size < 3) throw new WrongUsage('--countries: a BFT channel needs three countries beside the regulator');
  return [...new Set(countries)];
}

function tell(engines: readonly EngineStatus[], folder: string, { json }: StackFlags, terminal: Terminal): Exit {
  if (json) terminal.out(JSON.stringify({ folder, engines }));
  else for (const line of table(engines.map(row), ['owner', 'engine', 'state', 'pid', 'address', 'MiB'])) terminal.out(line);
  if (engines.length === 0) {
    terminal.note(`no engines in ${folder}: npm run stack starts some`);
    return exits.absent;
  }
  return engines.every(({ up }) => up) ? exits.ok : exits.failed;
}

const row = ({ owner, engine, up, pid, address, memory }: EngineStatus) => ({
  owner,
  engine,
  state: up ? 'up' : 'DOWN',
  pid: pid ?? '',
  address: address ?? '',
  MiB: memory ?? '',
});

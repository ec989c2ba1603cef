import { certificateInventory, type InventoryRow } from '@portolan/nest/certificates';
import { table } from '../table.js';
import { exits, type Exit, type Terminal } from '../terminal.js';
import { findHome, type HomeFlags } from './home.js';

export interface ListFlags {
  readonly within?: number;
  readonly all: boolean;
  readonly json: boolean;
}

/** What ended longer ago is of no use to anybody but who searches for it. */
const KEPT_DAYS = 30;

/** `portolan cert list`: with `--within`, exit code 1 says that something ends. */
export async function list(flags: ListFlags & HomeFlags, terminal: Terminal): Promise<Exit> {
  const home = await findHome(flags, terminal);
  const rows = await certificateInventory(home, Date.now(), flags.within);
  const shown = flags.all ? rows : rows.filter(({ daysLeft }) => daysLeft >= -KEPT_DAYS);
  if (flags.json) terminal.out(JSON.stringify({ certificates: shown }));
  else for (const line of table(shown.map(rowText), ['state', 'left', 'purpose', 'name', 'by', 'until', 'serial'])) terminal.out(line);
  const due = rows.filter((row) => row.due).length;
  terminal.note(due === 0 ? `${shown.length} certificates, none to renew` : `${shown.length} certificates, ${due} to renew`);
  return flags.within !== undefined && due > 0 ? exits.failed : exits.ok;
}

function rowText({ state, daysLeft, purpose, commonName, by, notAfter, serial, replaced, due }: InventoryRow): Record<string, string> {
  const word = due ? `${state}, renew` : replaced && state === 'live' ? 'live, replaced' : state;
  return { state: word, left: `${daysLeft} d`, purpose, name: commonName, by, until: notAfter.slice(0, 16), serial };
}

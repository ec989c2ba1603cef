import { faults, triedElsewhere, tryFaults, type Fault, type FaultReport, type Standstill } from '@portolan/testing';
import { exits, WrongUsage, type Exit, type Terminal } from '../terminal.js';

export interface FaultsFlags {
  readonly list: boolean;
  readonly transfers: number;
  readonly lanes: number;
  readonly keep: boolean;
  readonly json: boolean;
}

/** `portolan faults`: reports on standard output; how far it is on standard error. */
export async function faultsCommand(names: readonly string[], flags: FaultsFlags, terminal: Terminal): Promise<Exit> {
  if (flags.list || names.length === 0) {
    for (const line of listing()) terminal.out(line);
    return exits.ok;
  }
  const broken: string[] = [];
  await tryFaults(names.map(faultCalled), {
    transfers: flags.transfers,
    lanes: flags.lanes,
    keepsFolder: flags.keep,
    say: (line) => terminal.note(line),
    report: (report) => {
      if (report.violations.length > 0) broken.push(report.name);
      for (const line of flags.json ? [JSON.stringify(report)] : linesOf(report)) terminal.out(line);
    },
  });
  return broken.length === 0 ? exits.ok : exits.failed;
}

function faultCalled(name: string): Fault {
  const found = faults.find((one) => one.name === name);
  if (found === undefined) throw new WrongUsage(`there is no fault ${name}; there are: ${faults.map((one) => one.name).join(', ')}`);
  return found;
}

const listing = (): string[] => [
  ...faults.map(({ name, what, how }) => `${name}\n  ${what}\n  ${how}`),
  'tried by tests of their own:',
  ...triedElsewhere.map(({ what, command }) => `  ${what}\n    ${command}`),
];

function linesOf(report: FaultReport): string[] {
  const { name, what, transfers, outcomes, rate, p50Ms, p99Ms, lasted, standstill, settledAfter, seen, violations } = report;
  const came = Object.entries(outcomes).map(([outcome, count]) => `${count} ${outcome}`);
  return [
    `${name}: ${what}`,
    `  ${transfers} transfers: ${came.join(', ')}; ${rate} a second, p50 ${p50Ms} ms, p99 ${p99Ms} ms`,
    `  the fault lasted ${lasted} s`,
    ...Object.entries(standstill).map(([way, still]) => `  ${way}: ${wordsOf(still)}`),
    ...seen.map((line) => `  ${line}`),
    `  nothing was on its way any more ${settledAfter} s after the last answer`,
    ...(violations.length === 0 ? ['  the checker: every invariant holds'] : []),
    ...violations.map((violation) => `  the checker: invariant ${violation.invariant}, ${violation.where}: ${violation.what}`),
  ];
}

function wordsOf({ stoppedAfter, silence, resumedAfter }: Standstill): string {
  const end = resumedAfter === undefined ? 'which ended before the fault did' : `the next one ${resumedAfter} s after the fault was over`;
  return `longest silence from the fault on ${silence} s, beginning ${stoppedAfter} s after it, ${end}`;
}

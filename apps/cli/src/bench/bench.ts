import { benches, type BenchReport } from '@portolan/testing';
import { table } from '../table.js';
import { exits, WrongUsage, type Exit, type Terminal } from '../terminal.js';

export interface BenchFlags {
  readonly json: boolean;
  readonly quick?: boolean;
  readonly rounds?: number;
  readonly batch?: number;
  readonly client: 'kafkajs' | 'confluent';
}

/** `portolan bench`: one report on standard output; how far it is on standard error. */
export async function bench(name: string | undefined, flags: BenchFlags, terminal: Terminal): Promise<Exit> {
  if (name === undefined) {
    for (const { name: one, description } of benches) terminal.out(`${one}  ${description}`);
    return exits.ok;
  }
  const found = benches.find((one) => one.name === name);
  if (found === undefined)
    throw new WrongUsage(`there is no benchmark of this name; there are: ${benches.map((one) => one.name).join(', ')}`);
  const report = await found.run((line) => terminal.note(line), {
    quick: flags.quick ?? false,
    client: flags.client,
    ...(flags.batch === undefined ? {} : { batchMegabytes: flags.batch }),
    ...(flags.rounds === undefined ? {} : { rounds: flags.rounds }),
  });
  for (const line of flags.json ? [JSON.stringify(report)] : linesOf(report)) terminal.out(line);
  return report.measures.every(({ reached }) => reached) ? exits.ok : exits.failed;
}

/** The report as a person reads it. */
function linesOf({ name, machine, load, measures }: BenchReport): string[] {
  const rows = measures.map(({ what, value, unit, peer, ratio, goal, reached, ranges }) => ({
    what,
    ours: `${value} (${ranges.value.join('–')})`,
    peer: `${peer} (${ranges.peer.join('–')})`,
    unit,
    ratio: `${ratio} (${ranges.ratio.join('–')})`,
    goal: goal === 0 ? '' : `≥ ${goal}`,
    '': reached ? '' : 'missed',
  }));
  return [name, machine, load, ...table(rows, ['what', 'ours', 'peer', 'unit', 'ratio', 'goal', ''])];
}

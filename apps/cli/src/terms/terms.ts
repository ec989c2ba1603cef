import type { OperatorFlags } from '../files/node-options.js';
import { operatorAt } from '../operator/operator-of.js';
import { table } from '../table.js';
import { exits, WrongUsage, type Exit, type Terminal } from '../terminal.js';

export interface AnswerFlags extends OperatorFlags {
  readonly map: string;
  readonly system?: string;
  readonly equivalence: string;
  readonly to?: string;
  readonly display?: string;
  readonly comment?: string;
}

/** `portolan terms list`: through the operator's API of a running node. */
export async function list(flags: OperatorFlags, terminal: Terminal): Promise<Exit> {
  const questions = await (await operatorAt(flags, terminal)).mappingQuestions();
  if (flags.json) terminal.out(JSON.stringify(questions));
  else if (questions.length === 0) terminal.note('no open questions');
  else {
    const rows = questions.map(({ seen, system = '', ...row }) => ({ ...row, system, seen: String(seen) }));
    for (const line of table(rows, ['code', 'system', 'map', 'rule', 'seen', 'firstSeen', 'lastSeen'])) terminal.out(line);
  }
  return exits.ok;
}

/** `portolan terms answer`. */
export async function answer(code: string, flags: AnswerFlags, terminal: Terminal): Promise<Exit> {
  const { map, system } = flags;
  const target = targetOf(flags);
  await (await operatorAt(flags, terminal)).answerMapping({ map, ...(system !== undefined && { system }), code, target });
  if (flags.json) terminal.out(JSON.stringify({ map, system, code, target }));
  else terminal.out(`answered ${code}`);
  terminal.note('translate again what met it: portolan terms again');
  return exits.ok;
}

function targetOf({ equivalence, to, display, comment }: AnswerFlags): Record<string, string> {
  const said = { equivalence, ...(comment !== undefined && { comment }) };
  const none = equivalence === 'unmatched' || equivalence === 'disjoint';
  if (none !== (to === undefined)) throw new WrongUsage(none ? `${equivalence} has no counterpart: leave out --to` : '--to SYSTEM|CODE');
  if (to === undefined) return said;
  const at = to.lastIndexOf('|');
  if (at < 1 || at === to.length - 1) throw new WrongUsage('--to SYSTEM|CODE, such as "http://loinc.org|2345-7"');
  return { system: to.slice(0, at), code: to.slice(at + 1), ...said, ...(display !== undefined && { display }) };
}

/** `portolan terms again`: until nothing is left. What cannot be used any more stays as it was filed; exit 1 where there was such. */
export async function translateAgain(flags: OperatorFlags, terminal: Terminal): Promise<Exit> {
  const api = await operatorAt(flags, terminal);
  let [translated, refused] = [0, 0];
  for (let left = true; left;) {
    const done = await api.translateAgain();
    translated += done.translated;
    refused += done.refused;
    left = done.left;
  }
  terminal.out(flags.json ? JSON.stringify({ translated, refused }) : `translated again ${translated}, left as they were ${refused}`);
  return refused === 0 ? exits.ok : exits.failed;
}
